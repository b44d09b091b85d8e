#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# The second boot: knp-restore.service has closed the node for its pods before the
# kubelet could start one, whose addresses have new owners by now; when knpd
# comes, policies hold.
# shellcheck source=tests/packaging/node/lib.sh
. /guest/lib.sh

time_of() { systemctl show -P "$1" "$2"; }

before_kubelet() {
	[ "$(time_of ExecMainExitTimestampMonotonic "$1")" -gt 0 ] &&
		[ "$(time_of ExecMainExitTimestampMonotonic "$1")" -lt \
			"$(time_of ExecMainStartTimestampMonotonic kubelet.service)" ]
}

# what the kubelet's stand-in has found when it started
found() { equals "$(jq -c "$1" /run/kubelet.saw)" "$2"; }
node_reaches() { timeout 8 bash -c "exec 3<>/dev/tcp/$1/80"; }

shut() {
	flows no | sed 's/ yes / no /' |
		probe matrix --deadline 3000 --grace 500 --log "$LOGS/matrix"
}

check "the kubelet has started" await "$PATIENCE" active kubelet.service
check "knp-module.service was done before it" before_kubelet knp-module.service
check "knp-restore.service was done before it" before_kubelet knp-restore.service
check "... and has done its work" active knp-restore.service
check "... in words" contains "$(journal knp-restore.service)" "is of another boot"
check "the kubelet found no generation" found .module.generation 0
check "... hooks of both families" found '.module.attached | sort' '["ipv4","ipv6"]'
check "knpd does not run" equals "$(systemctl is-active knpd.service)" inactive
check "three pods, with the addresses of other pods" pods
check "nothing passes between them" shut
# What it sends needs a source, and this node has no network beside its pods.
ip addr add 10.240.0.4/32 dev lo
check "the node itself reaches them" node_reaches 10.244.1.1
check "knpd is started" systemctl start knpd.service
check "knpd has pushed what it reads" await "$PATIENCE" synced
check "policies hold" judged
check "the kernel's log is clean" clean_log
finish
