#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# No packet is judged by a mixture of generations, none by one older than what was
# published before it was sent, see swap.c.
KERNEL_MODULES=nf_conntrack
# shellcheck source=tests/guest/lib.sh
. /guest/lib.sh

SWAPS=$(effort 1000 20000 1000000)

check "the module is loaded" load_module
reported "policies are swapped under load" swap "$SWAPS" $((10 * SWAPS))
check "the module goes" await 20 rmmod knp

finish
