#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# The KUnit suites of kmod/tests, with the module they are part of. What they print
# is in the kernel's log. Most kernels have no KUnit: see kmod/tests/compat.
# Needs both processors at once: its suites race on purpose.
KERNEL_MODULES="nf_conntrack nf_conntrack_bridge"
# shellcheck source=tests/guest/lib.sh
. /guest/lib.sh

SUITES="knp-vectors knp-tables knp-transactions knp-lifetime knp-netlink"

# ktap SUITE: its results, and those of its parameters, become the scenario's. The
# plan is of the suite's own, which are indented less.
ktap() {
	local suite=$1 line planned=0 seen=0

	while IFS= read -r line; do
		case $line in
		"    1.."*) planned=${line#*..} ;;
		*"ok "*"# SKIP"*) result 1 "$suite: skipped: $line" ;;
		*"not ok "[0-9]*) result 1 "$suite: ${line#*not ok }" ;;
		*"    ok "[0-9]*) result 0 "$suite: ${line#*ok }" ;;
		esac
		[[ ! $line =~ ^\ {4}(not\ )?ok\ [0-9] ]] || seen=$((seen + 1))
	done <"/run/ktap.$suite"
	check "$suite: all that was planned has run" equals "$seen" "$planned"
	grep -A 3 EXPECTATION "/run/ktap.$suite" | head -n 20 | sed 's/^/# /'
}

dmesg -c >"$LOGS/dmesg.before"
check "the suites are loaded, and with them the module" insmod /guest/kunit.ko
# Where the kernel has KUnit, they have run by that.
RUN=/sys/module/knp_kunit/parameters/run
[ ! -e $RUN ] || echo 1 >$RUN
dmesg | sed 's/^\[[^]]*\] //' >"$LOGS/ktap"
for suite in $SUITES; do
	# from its subtest line to its own result
	awk -v suite="$suite" '
		$0 ~ "# Subtest: " suite "$" { on = 1; next }
		$0 ~ "^(not )?ok [0-9]+ " suite "( |$)" { on = 0 }
		on' "$LOGS/ktap" >"/run/ktap.$suite"
	ktap "$suite"
	check "$suite: passed as a whole" grep -qE "^ok [0-9]+ $suite( |\$)" "$LOGS/ktap"
done
check "they go" await 20 rmmod knp_kunit

finish
