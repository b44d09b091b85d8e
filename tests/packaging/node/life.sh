#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# A node's life with the packages: it boots and enforces, knpd is upgraded, stopped
# and removed while the kernel goes on enforcing, and purging the module leaves
# the node as it was. All the while one pod is let in, and another is not.
# shellcheck source=tests/packaging/node/lib.sh
. /guest/lib.sh

ko=/lib/modules/$(uname -r)/updates/dkms/knp.ko
manifests=/etc/knp/manifests

confined() {
	local pid

	pid=$(systemctl show -P MainPID knpd.service)
	equals "$(sed -n 's/^Cap\(Eff\|Bnd\):\t//p' "/proc/$pid/status" | sort -u)" \
		0000000000001000 &&
	contains "$(systemctl show -P SystemCallFilter knpd.service) " " bpf "
}

untroubled() {
	! journal knpd.service | grep -i 'cannot\|not permitted\|denied\|failed'
}

newer() { [ "$(knpd --version)" != "$old" ] && synced && active knpd.service; }
left_alone() { [ -e "$manifests/policies.yaml" ] && [ ! -e /run/knp ] && [ ! -e /var/lib/knp ]; }

check "boot: knp-module.service has loaded the module" active knp-module.service
check "boot: it is what DKMS has built for this kernel" equals \
	"$(cat /sys/module/knp/srcversion)" "$(modinfo -F srcversion "$ko")"
check "boot: knpd runs" active knpd.service
check "knpd has CAP_NET_ADMIN and no other, and may ask bpf(2)" confined
check "three pods" pods
check "knpd has pushed what it reads" await "$PATIENCE" synced
check "policies hold" judged
check "knpd is refused nothing in its unit" untroubled

old=$(knpd --version)
held=$(kernel)
check "traffic runs" traffic_start
check "upgrade of knpd" dpkg -i /guest/next.deb
check "the new knpd runs" await "$PATIENCE" newer
check "the kernel holds the generation that it held" equals "$(kernel)" "$held"
check "upgrade: no packet passed that should not, and none was lost" undisturbed

check "systemctl restart and kill: nothing is written" sh -c \
	'systemctl restart knpd.service && systemctl kill -s KILL knpd.service'
check "knpd is started again by itself" await "$PATIENCE" newer
check "restart: the kernel holds the generation that it held" equals "$(kernel)" "$held"
check "restart: undisturbed" undisturbed

check "remove knpd: it says that the kernel goes on" try 0 \
	"the kernel goes on enforcing what was committed last" dpkg -r knpd
check "removed: undisturbed" undisturbed
check "purge knpd" dpkg -P knpd
check "purged: its state is gone, the operator's files are not" left_alone
check "purged: undisturbed" undisturbed

check "remove knp-dkms: it says that the module stays" try 0 \
	"knp stays loaded and goes on enforcing" dpkg -r knp-dkms
refute "removed: the file is gone" test -e "$ko"
check "removed: the module stays" loaded
check "removed: undisturbed" undisturbed
rm /run/traffic
wait "$TRAFFIC"

check "purge knp-dkms: it says that it unloads" try 0 \
	"knp is unloaded, nothing is enforced any more" dpkg -P knp-dkms
check "purged: unloaded" unloaded
check "purged: the node is as it was, everything passes" open
check "no unit of knp is left" equals "$(systemctl list-unit-files --no-legend 'knp[d-]*.service' |
	grep -v knp-test)" ""
check "the kernel's log is clean" clean_log
finish
