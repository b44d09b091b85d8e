#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# No packet is judged by a mixture of generations, none by one older than what was
# published before it was sent, see swap.c.
KERNEL_MODULES=nf_conntrack
# shellcheck source=tests/guest/lib.sh
. /guest/lib.sh

NAMESPACES=4
SWAPS=$(effort 1000 20000 1000000)

# swapped SWAPS PACKETS: as many in each of some network namespaces at once, because a
# commit waits now and then until what older ones of its namespace left is freed
swapped() {
	local i pids=() status=0

	for ((i = 0; i < NAMESPACES; i++)); do
		swap $(($1 / NAMESPACES)) $(($2 / NAMESPACES)) >"/run/swap.$i" &
		pids+=($!)
	done
	for ((i = 0; i < NAMESPACES; i++)); do
		wait "${pids[i]}" || status=1
	done
	grep -h -v '^[0-9]* swaps' /run/swap.* || true
	cat /run/swap.* | awk '/^[0-9]+ swaps/ {
		swaps += $1; packets += $3; arrived += $5; known += $7; wrong += $12
	} END {
		printf "%d swaps, %d packets, %d arrived, %d by a known generation, %d wrong\n",
			swaps, packets, arrived, known, wrong
	}'
	return $status
}

check "the module is loaded" load_module
reported "policies are swapped under load" swapped "$SWAPS" $((10 * SWAPS))
check "the module goes" await 20 rmmod knp

finish
