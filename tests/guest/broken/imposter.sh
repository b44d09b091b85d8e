#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A scenario that claims its success itself, and fails.
echo "ok 1 - all is well"
echo "1..1"
echo "KNP-GUEST-OK imposter"
exit 3
