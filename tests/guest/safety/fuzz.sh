#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Messages that nobody should send, see fuzz.c. KNP_FUZZ_SEED repeats a run.
KERNEL_MODULES="nf_conntrack nf_conntrack_bridge"
# shellcheck source=tests/guest/lib.sh
. /guest/lib.sh
# shellcheck source=tests/guest/safety.sh
. /guest/safety.sh

check "the module is loaded" load_module
before=$(namespaces)
fuzzed "$(effort 5000 50000 1000000)"
check "the namespaces are gone" namespaces_gone "$before"
check "the module goes" await 20 rmmod knp

finish
