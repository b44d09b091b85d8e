#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# The first of two boots of one disk: policies are enforced, and kept. In the next
# one knpd does not start, as if nobody told it anything for a long time.
# shellcheck source=tests/packaging/node/lib.sh
. /guest/lib.sh

saved() { equals "$(knpctl status -o json | jq .knpd.state_file.generation)" "$(generation)"; }
generation() { knpctl status -o json | jq .module.generation; }

check "three pods" pods
check "knpd has pushed what it reads" await "$PATIENCE" synced
check "policies hold" judged
check "what is enforced is kept" await "$PATIENCE" saved
check "knpd does not start again" systemctl disable knpd.service
check "all of it is on the disk" sync
finish
