# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# TAP of what runs in a guest, and waiting for conditions. Sourced.

LOGS=${LOGS:-/run/logs}

tap_count=0
tap_last=${EPOCHREALTIME/./}

# result CODE NAME: one line; 0 is ok
result() {
	local code=$1

	shift
	tap_count=$((tap_count + 1))
	printf '%8d ms  %s\n' $(((${EPOCHREALTIME/./} - tap_last) / 1000)) "$*" \
		>>"$LOGS/times"
	tap_last=${EPOCHREALTIME/./}
	if [ "$code" = 0 ]; then
		echo "ok $tap_count - $*"
	else
		echo "not ok $tap_count - $*"
	fi
}

# check NAME COMMAND...: ok if the command succeeds; its output explains a failure.
# No subshell: the command may start processes and set variables.
check() {
	local name=$1 code=0

	shift
	"$@" >/run/check.out 2>&1 || code=$?
	result "$code" "$name"
	if [ "$code" != 0 ]; then
		diag "$* -> $code"
		diag "$(cat /run/check.out)"
	fi
	return 0
}

# refute NAME COMMAND...: ok if the command fails
refute() {
	local name=$1 code=0

	shift
	"$@" >/run/check.out 2>&1 || code=$?
	result $((code == 0)) "$name"
	[ "$code" != 0 ] || diag "$* succeeded: $(cat /run/check.out)"
}

# steps: the results of a program, on stdin, become the scenario's; sets planned
steps() {
	local line

	planned=none
	# shellcheck disable=SC2034 # for the caller
	while IFS= read -r line; do
		case $line in
		"ok "* | "not ok "*)
			result "$([ "${line%% *}" = ok ] && echo 0 || echo 1)" \
				"${line#* - }"
			;;
		1..*) planned=${line#1..} ;;
		*) echo "$line" ;;
		esac
	done
}

# reported NAME COMMAND...: ok if the command succeeds; what it prints is the name's
# end, its last line, or explains
reported() {
	local name=$1 code=0

	shift
	"$@" >/run/reported 2>&1 || code=$?
	result "$code" "$name: $(tail -n 1 /run/reported)"
	[ "$code" = 0 ] || diag "$(cat /run/reported)"
}

equals() {
	[ "$1" = "$2" ] || {
		echo "expected '$2', got '$1'"
		return 1
	}
}

contains() {
	case $1 in
	*"$2"*) ;;
	*)
		echo "'$2' is not in: $1"
		return 1
		;;
	esac
}

diag() {
	printf '%s\n' "$*" | head -n 30 | sed 's/^/# /'
}

finish() {
	echo "1..$tap_count"
}

# await SECONDS COMMAND...: polls until it succeeds
await() {
	local deadline=$((SECONDS + $1))

	shift
	until "$@" >/dev/null 2>&1; do
		[ "$SECONDS" -lt "$deadline" ] || return 1
		sleep 0.02
	done
}
