#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# knpd is killed at each step on its way to the disk, within a write, too, see
# crashes.sh. The kernel is as it was, and each file is the old one or the new.
# shellcheck source=tests/guest/lib.sh
. /guest/lib.sh
# shellcheck source=tests/guest/crashes.sh
. /guest/crashes.sh

prepare
ask
crashes disk "$ONE" "$OTHER"
enough

finish
