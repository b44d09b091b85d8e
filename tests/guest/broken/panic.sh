#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A kernel that dies after the scenario said everything.
echo "ok 1 - all is well"
echo "1..1"
echo c >/proc/sysrq-trigger
