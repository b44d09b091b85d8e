#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# How long a changed manifest takes until its generation is enforced: from
# rename(2) of the file until knpd has sealed the new generation's names, which it
# does right after the commit, over 200 changes. A figure under emulation, not a gate; that every change arrives is
# the test.
# shellcheck source=tests/guest/lib.sh
. /guest/lib.sh

topology_up
cluster_manifests | publish cluster.yaml
check "module loads, both nodes enforce" nodes_start

for port in 80 81; do
	policy x/latency >/run/latency-$port.yaml <<-END
	podSelector: {}
	ingress:
	- from: [{namespaceSelector: {matchLabels: {team: y-team}}}]
	  ports: [{port: $port}]
	END
done
first=$(generation node1)
check "200 changes are enforced one by one" sh -c "probe latency 200 $MANIFESTS \
	$(names_of node1) /run/latency-80.yaml /run/latency-81.yaml >/run/figures"
diag "manifest changed -> generation enforced, two knpd on two emulated CPUs:"
printf "# figure: manifest changed to enforced: %s\n" "$(cat /run/figures)"
diag "knpd's own measure of the last change: $(status node1 last_us) us"
cp /run/figures "$LOGS/"
check "each change was one generation" equals "$(generation node1)" $((first + 200))

finish
