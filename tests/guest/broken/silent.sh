#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A scenario that hangs after it said everything.
echo "ok 1 - all is well"
echo "1..1"
sleep 1000
