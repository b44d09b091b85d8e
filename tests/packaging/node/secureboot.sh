#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# UEFI Secure Boot: the firmware has verified the kernel, which locks itself down.
# DKMS's key is among the machine's owner's: what it has signed is loaded, what
# nobody has signed is not.
# shellcheck source=tests/packaging/node/lib.sh
. /guest/lib.sh

unload() {
	systemctl stop knpd.service && rmmod knp
}

check "Secure Boot is on" contains "$(dmesg)" "secureboot: Secure boot enabled"
check "the kernel is locked down" contains "$(cat /sys/kernel/security/lockdown)" \
	"[integrity]"
check "knp-module.service has loaded the module" active knp-module.service
check "it counts as signed" equals "$(cat /sys/module/knp/taint)" O
check "three pods" pods
check "knpd has pushed what it reads" await "$PATIENCE" synced
check "policies hold" judged

check "unloaded" unload
check "a module that nobody has signed" unsigned
check "is refused, in words" try 1 \
	'knp.ko is not signed, and this kernel takes signed modules only' knp-load
check "no module is loaded" unloaded
check "the kernel's log is clean" clean_log
finish
