#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# The test vectors in the real module: knpd's own code brings the kernel from
# step to step, and the kernel explains every connection that a vector has an
# answer for. Many of them are about SCTP, whose module nobody loads for that.
KERNEL_MODULES=nf_conntrack
# shellcheck source=tests/guest/lib.sh
. /guest/lib.sh

# no nodes and no pods, only tables
: >$HOSTS
refute "the kernel's SCTP module is not there" grep '^sctp ' /proc/modules
check "the module is loaded" load_module
ip netns add vectors
mkdir -p /run/vectors
before=$tap_count
steps < <(on vectors vectors /guest/vectors.txt /run/vectors)
check "no step is missing" equals "$planned" $((tap_count - before))
refute "nor was it loaded" grep '^sctp ' /proc/modules
awk '/^step/ { n++ } n == 1' /guest/vectors.txt |
	sed 's/^ask allow/ask deny/' >/run/wrong.txt
refute "a wrong expectation is noticed" on vectors vectors /run/wrong.txt /run/vectors
ip netns del vectors

finish
