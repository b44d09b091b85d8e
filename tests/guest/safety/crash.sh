#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# knpd is killed at each message to the kernel, see crashes.sh: from its start to
# the end of a change of policies, and of the change back.
# shellcheck source=tests/guest/lib.sh
. /guest/lib.sh
# shellcheck source=tests/guest/crashes.sh
. /guest/crashes.sh

prepare
ask
crashes netlink "$ONE" "$OTHER"
crashes netlink "$OTHER" "$ONE" begin
enough

finish
