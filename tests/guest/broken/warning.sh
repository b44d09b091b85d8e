#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A kernel that warned.
echo "WARNING: CPU: 0 PID: 1 at kernel/example.c:1" >/dev/kmsg
echo "ok 1 - all is well"
echo "1..1"
