#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Every allocation of the module fails once, from loading it to a second commit
# (faults.c), and each place in the source is among those that did. Where the
# kernel can fail its own, those that commands, namespaces and loading lead to
# fail, too.
KERNEL_MODULES="nf_conntrack nf_conntrack_bridge"
# shellcheck source=tests/guest/lib.sh
. /guest/lib.sh

FAIL_NTH=/proc/self/fail-nth

# load_failing: until as many allocations as loading has did not fail
load_failing() {
	local n=1

	dmesg -c >>"$LOGS/dmesg.before"
	until insmod /guest/faults.ko fail_nth=$n 2>/run/insmod; do
		contains "$(cat /run/insmod)" "Cannot allocate memory" || return 1
		refute_quietly grep '^knp ' /proc/modules || return 1
		insmod /guest/faults.ko || return 1
		rmmod knp || return 1
		n=$((n + 1))
		[ $n -lt 50 ] || return 1
	done
	dmesg -c | tee -a "$LOGS/dmesg.before" |
		sed -n 's/.*knp: fault at /site /p' | sort -u >/run/sites.load
	rmmod knp
	equals "$(wc -l </run/sites.load)" $((n - 1))
}

refute_quietly() { ! "$@" >/dev/null; }

sites_all() { sort -u <(sed 's/^/site /' /guest/fault_sites); }
sites_hit() { sort -u /run/sites.load <(grep '^site ' /run/reported); }

nothing_left() {
	await 20 rmmod knp && refute_quietly grep '^knp ' /proc/modules
}

# The kernel tells of each failure at length, or not at all; of large ones it does.
fail_quietly() {
	local attr

	touch /run/failing
	for attr in failslab fail_page_alloc; do
		echo 0 >/sys/kernel/debug/$attr/verbose || return 1
		echo N >/sys/kernel/debug/$attr/ignore-gfp-wait || return 1
	done
	echo 0 >/sys/kernel/debug/fail_page_alloc/min-order
}

check "each allocation of loading fails once, then it loads" load_failing
insmod /guest/faults.ko
reported "each of commands, commits and reports fails once" faults module
check "every place in the source was reached" \
	equals "$(sites_hit)" "$(sites_all)"
echo "# figure: $(sites_hit | wc -l) of $(sites_all | wc -l) places failed," \
	"$(wc -l </run/sites.load) of them while loading"
check "the module goes" nothing_left

if [ -e $FAIL_NTH ]; then
	check "the kernel may fail any allocation" fail_quietly
	check "the module is loaded" load_module
	reported "whatever the kernel allocates for a command fails once" \
		faults kernel
	check "the module goes again" nothing_left
	reported "whatever it allocates for loading fails once" \
		faults load /guest/knp.ko
fi

finish
