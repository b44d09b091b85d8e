#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# A kernel that takes signed modules only (module.sig_enforce=1) and does not know
# DKMS's key, on which nobody has enrolled it: knp is refused, in words.
# shellcheck source=tests/packaging/node/lib.sh
. /guest/lib.sh

waits() { contains "$(journal knpd.service)" "knp.ko is not loaded"; }

check "the kernel takes signed modules only" equals \
	"$(cat /sys/module/module/parameters/sig_enforce)" Y
check "it takes its own" modprobe veth
check "knp-module.service has failed" equals \
	"$(systemctl is-active knp-module.service)" failed
check "no module is loaded" unloaded
check "its log says who has signed, and what to do" contains \
	"$(journal knp-module.service)" 'which this kernel does not trust'
check "by name" contains "$(journal knp-module.service)" \
	"signed by \"$(modinfo -F signer knp)\""
check "with the command that enrols the key" contains \
	"$(journal knp-module.service)" 'mokutil --import /var/lib/dkms/mok.pub'
check "knpd waits, and says for what" await "$PATIENCE" waits
check "a module that nobody has signed" unsigned
check "is refused, in other words" try 1 \
	'knp.ko is not signed, and this kernel takes signed modules only' knp-load
check "the kernel's log is clean" clean_log
finish
