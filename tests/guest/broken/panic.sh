#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A kernel that dies after the scenario said everything, and that was heard.
# shellcheck source=tests/guest/tap.sh
. /guest/tap.sh
echo "ok 1 - all is well"
echo "1..1"
# First by the one who writes it to the port, then by the port, for which stty waits.
await 5 grep -q '^1\.\.1' "$LOGS/tap"
stty -F /dev/ttyS1 raw
echo c >/proc/sysrq-trigger
