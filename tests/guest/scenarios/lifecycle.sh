#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# The module comes and goes under traffic: allowed connections never fail (where
# conntrack runs anyhow, as on every node with a Service proxy), knpd fills a
# module that was loaded again without being restarted, and DETACH, unloading and
# the end of a namespace leave the node's hooks and conntrack as they were before.
# shellcheck source=tests/guest/lib.sh
. /guest/lib.sh

# What is hooked in node1: conntrack shows itself by counting new connections,
# and where the kernel can list the hooks (not in 6.1), they are listed.
hooks() {
	local before after

	before=$(on node1 cat /proc/sys/net/netfilter/nf_conntrack_count)
	rules_to_spec 80/UDP </dev/null | awk '$6 ~ /^y.a->/ { for (i = 0; i < 5; i++) print }' |
		probe matrix >/dev/null
	after=$(on node1 cat /proc/sys/net/netfilter/nf_conntrack_count)
	[ "$after" -gt $((before + 20)) ] && echo "connections are tracked"
	on node1 nft list hooks | grep -v '^$'
	return 0
}

users_of_conntrack() { awk '$1 == "nf_conntrack" { print $3 }' /proc/modules; }

# What is allowed with and without the policies below, again and again, until
# the file /run/traffic is gone. One failed round is kept for the test.
traffic() {
	local round=0

	rules_to_spec "80/TCP 80/UDP" <<-END | awk '$5 == "yes"' >/run/traffic.spec
		deny * x/* *
		allow y/a x/* *
	END
	while [ -e /run/traffic ]; do
		round=$((round + 1))
		probe matrix --log "$LOGS/traffic.log" </run/traffic.spec \
			>/run/traffic.last || cat /run/traffic.last >>/run/traffic.bad
		echo $round >/run/traffic.rounds
	done
}

rounds() { cat /run/traffic.rounds 2>/dev/null || echo 0; }
more_rounds_than() { [ "$(rounds)" -gt "$1" ]; }
undisturbed() { [ ! -s /run/traffic.bad ] || { cat /run/traffic.bad; return 1; }; }
unload() { await 10 rmmod knp; }
waiting() { equals "$(status "$1" state)" waiting; }

refilled() {
	equals "$(status "$1" state)" synced &&
		equals "$(ctl "$1" status -o json | jq '.module.generation > 0 and
			.module.instance == .knpd.instance and
			(.module.attached | length) == 2')" true
}

topology_up
serve
{
	cluster_manifests
	policy x/deny <<-END
	podSelector: {}
	ingress: [{from: [{namespaceSelector: {matchLabels: {team: y-team}},
	                   podSelector: {matchLabels: {app: client}}}]}]
	END
} | publish cluster.yaml
hooks_before=$(hooks)
users_before=$(users_of_conntrack)

check "module loads, both nodes enforce" nodes_start
refute "attached: hooks are there" equals "$(hooks)" "$hooks_before"
check "attached: conntrack works for knp" contains "$(hooks)" "are tracked"
matrix "enforced" "80/TCP 80/UDP 80/SCTP" <<-END
	deny * x/* *
	allow y/a x/* *
END

# What a Service proxy has, and keeps conntrack on: a rule about connections. Without it, conntrack would
# see connections first that are under way, take an answer for the beginning,
# and knp would judge them in that direction.
proxy_up() {
	local node

	for node in node1 node2; do
		on $node nft -f - <<-END || return 1
		table inet proxy {
			chain forward {
				type filter hook forward priority filter
				ct state established counter accept
			}
		}
		END
	done
}

proxy_down() {
	on node1 nft delete table inet proxy && on node2 nft delete table inet proxy
}

check "both nodes have a Service proxy" proxy_up
touch /run/traffic
traffic &
TRAFFIC_PID=$!
check "traffic flows" await 20 more_rounds_than 1
for i in 1 2 3 4 5; do
	seen=$(rounds)
	check "unload $i under traffic" unload
	check "unload $i: knpd waits for the module" await 10 waiting node1
	check "unload $i: traffic goes on" await 20 more_rounds_than $((seen + 1))
	check "load $i under traffic" load_module
	check "load $i: knpd of node1 fills it again" await 40 refilled node1
	check "load $i: knpd of node2 fills it again" await 40 refilled node2
done
rm /run/traffic
wait $TRAFFIC_PID
check "no allowed connection failed meanwhile" undisturbed
matrix "enforced after the last load" "80/TCP 80/UDP 80/SCTP" <<-END
	deny * x/* *
	allow y/a x/* *
END

check "the Service proxies go" proxy_down
check "detach" ctl node1 detach --yes
check "detach leaves the hooks as before" equals "$(hooks)" "$hooks_before"
matrix "detached node: its pods are open, the other node's are not" \
	"80/TCP 80/UDP 80/SCTP" <<-END
	deny * x/c *
	allow y/a x/c *
END
check "attach again" ctl node1 attach
matrix "attached again: enforced with the tables that stayed" \
	"80/TCP 80/UDP 80/SCTP" <<-END
	deny * x/* *
	allow y/a x/* *
END

for i in 1 2 3 4 5; do
	ip netns add "short$i"
	check "namespace $i attaches" on "short$i" knpctl attach
	check "namespace $i is filled" on "short$i" knpd --node node1 --once \
		--manifests $MANIFESTS --runtime-dir "/run/knp-short$i"
	check "namespace $i goes with its hooks attached" ip netns del "short$i"
done

for node in node1 node2; do
	knpd_kill $node TERM
done
check "unload at last" unload
check "unloaded: hooks are as before" equals "$(hooks)" "$hooks_before"
check "unloaded: conntrack has as many users as before" \
	await 10 equals "$(users_of_conntrack)" "$users_before"

finish
