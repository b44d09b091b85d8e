#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Namespaces and the module come and go under traffic, with dumps, transactions
# and subscribers in the middle, see lives.c. Nothing is left of them.
KERNEL_MODULES="nf_conntrack nf_conntrack_bridge"
# shellcheck source=tests/guest/lib.sh
. /guest/lib.sh
# shellcheck source=tests/guest/safety.sh
. /guest/safety.sh

CYCLES=$(effort 10 20 5000)
# of unreclaimable kernel memory, over all cycles after the first ones; what one
# leaks is far more: a life has tables of 200 KiB
GROWTH_KB=4096
# KASAN keeps what was freed for a while, at most this part of all memory
if grep -q ' kasan_quarantine_put$' /proc/kallsyms; then
	GROWTH_KB=$((GROWTH_KB + $(awk '$1 == "MemTotal:" { print $2 }' /proc/meminfo) / 32))
fi

users_of_conntrack() { awk '$1 == "nf_conntrack" { print $3 }' /proc/modules; }
unreclaimable() {
	awk '/^(SUnreclaim|Percpu|VmallocUsed):/ { n += $2 } END { print n }' \
		/proc/meminfo
}
settle() { namespaces_gone "$namespaces_before"; }
grew_little() {
	echo "$1 kB before, $2 kB after"
	[ $(($2 - $1)) -lt $GROWTH_KB ]
}

namespaces_before=$(namespaces)
users_before=$(users_of_conntrack)
check "the module is loaded" load_module
reported "first lives" lives netns 10
check "they end" settle
memory=$(unreclaimable)
reported "$CYCLES namespaces" lives netns "$CYCLES"
check "they end, too" settle
after=$(unreclaimable)
check "memory is back to where it was" grew_little "$memory" "$after"
echo "# figure: unreclaimable kernel memory after $CYCLES namespaces: $((after - memory)) kB more"
reported "a dump that takes too long says so" lives dump
check "the module goes" await 20 rmmod knp
check "conntrack has as many users as before" equals "$(users_of_conntrack)" "$users_before"
memory=$(unreclaimable)
reported "$CYCLES lives of the module" lives load /guest/knp.ko "$CYCLES"
after=$(unreclaimable)
check "memory is back again" grew_little "$memory" "$after"
echo "# figure: ... after $CYCLES lives of the module: $((after - memory)) kB more"
check "conntrack has as many users as before" \
	await 20 equals "$(users_of_conntrack)" "$users_before"

finish
