# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# The walk's source: a folder of manifests. tests/demo/server.sh has the same
# functions for an API server. Sourced by demo.sh.

source_up() {
	topology_up || fail "no topology"
	mkdir -p "$MANIFESTS"
}

objects_come() {
	cp "$DEMO/manifests/cluster.yaml" "$MANIFESTS/"
	say "Pods are routed, dual stack, and serve port 80. knpd reads manifests from a
folder: for now the pods and namespaces, no policy."
}

policies_come() {
	local before

	say "Four files come into the folder:"
	describe_policies
	before=$(version)
	mkdir /run/new
	cp "$DEMO"/manifests/[1-9]*.yaml /run/new/
	mv /run/new/*.yaml "$MANIFESTS/"
	enforced "$before"
	say "knpd compiled them and committed one transaction per node; node1 took
$(status node1 last_us) us from the changed file to the enforced generation."
}

# policy_changes FILE: stdin is its new content
policy_changes() {
	local before

	before=$(version)
	cat >/run/changed
	mv /run/changed "$MANIFESTS/$1"
	enforced "$before"
}
