#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Who may talk to the module, see perms.c.
KERNEL_MODULES=nf_conntrack
# shellcheck source=tests/guest/lib.sh
. /guest/lib.sh
# shellcheck source=tests/guest/safety.sh
. /guest/safety.sh

check "the module is loaded" load_module
who_may_talk

finish
