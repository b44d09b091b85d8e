#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# The API server is away: stopped, so that it refuses connections; paused, so
# that it takes them and says nothing; unreachable, so that nothing comes back
# from anywhere. Enforcement is the same all the time, also for a connection that
# is open, knpd says what it waits for and how old its state is, asks less and
# less often, and what changed at the server meanwhile is enforced soon after it
# is back.
# shellcheck source=tests/guest/lib.sh
. /guest/lib.sh
# shellcheck source=tests/guest/cluster.sh
. /guest/cluster.sh

PORTS='80/TCP 80/UDP'
AWAY_SECONDS=12
# the step that knpd is waiting for when the server is back, and another if it
# has to list again soon after its last list
PATIENCE=90

nodes_begin() {
	load_module || return 1
	knpd_start node1
	knpd_start node2
	enforced_since node1 0 && enforced_since node2 0
}

policy_comes() { policy "$1" | update; }
waits_for() { knpd_says "$1" ".waiting // \"\" | contains(\"$2\")"; }
waits_for_nothing() { knpd_says "$1" '.waiting == null'; }
pings() { equals "$(hold_say inside ping)" pong; }

# stays NAME: as before the outage, to new connections and to an open one
stays() {
	matrix "$1" <<-END
	deny * x/* *
	allow x/* x/* 80/TCP
	END
	check "... to an open connection, too" pings
	check "... nothing was written" equals \
		"$(generation node1) $(generation node2)" "$before"
}

# away_lines NODE: what knpctl status says of the source, in one line each
away_lines() {
	ctl "$1" status | grep -E '^(waiting for|age) ' | tee /run/lines
	equals "$(grep -cE '^waiting for +[a-z]+: .*, for [0-9]+ s$' /run/lines)" 1 &&
		equals "$(grep -cE '^age +[0-9]+ s: ' /run/lines)" 1
}

since_when() {
	knpd_says "$1" 'now >= .waiting_since and now < .waiting_since + 60'
}

# older NODE SECONDS: the state has not been current for so long
older() { knpd_says "$1" "(now - .synced_at) >= $2"; }

said() { grep -c "waiting for .*$2.*; what is enforced stays" "$LOGS/knpd-$1.log"; }
said_back() { grep -q "the API server answers again" "$LOGS/knpd-$1.log"; }

# attempts: seconds at which node1 asked for a connection, by the kernel's log
attempts() {
	dmesg | sed -n 's/^\[ *\([0-9.]*\)\] node1 asks: .*/\1/p'
}

# The log of SYNs of node1 to the API server begins with the rule.
listen_begin() {
	nft -f - <<-END
	table ip asks {
		chain forward {
			type filter hook forward priority 0
			iifname host1 tcp flags & (syn | ack) == syn log prefix "node1 asks: "
		}
	}
	END
}

# bounded COUNT SECONDS: three resources, each asked at once and then after steps
# of at least 0.8, 1.6, 3.2 ... s
bounded() {
	awk -v n="$1" -v t="$2" 'BEGIN {
		most = 1
		for (step = 0.8; t >= step; step *= 2) { t -= step; most++ }
		print n " attempts, at most " 3 * most
		exit !(n >= 6 && n <= 3 * most)
	}'
}

check "the nodes have a way to the API server" cluster_up
serve
check "namespaces and pods are made" cluster_create
make_own() {
	policy_comes x/own <<-END
	podSelector: {}
	ingress: [{from: [{podSelector: {}}], ports: [{port: 80, protocol: TCP}]}]
	END
}
check "a policy isolates x" make_own
check "it is enforced" nodes_begin
hold_open inside x-a "$(ip4_of x/c)" 80 TCP --deadline 4000
before="$(generation node1) $(generation node2)"

# ---- stopped -----------------------------------------------------------------

check "the requests of node1 are listened to" listen_begin
check "the server is stopped" host apiserver stop
stopped=$SECONDS
check "... knpd says what it waits for" await 20 waits_for node1 "cannot connect"
check "... on the other node, too" await 20 waits_for node2 "cannot connect"
stays "... what is enforced stays"
check "... the state grows older" await 30 older node1 10
check "... knpctl says in one line each what is waited for, and how old it is" \
	away_lines node1
diag "$(cat /run/lines)"
check "... status.json has since when" since_when node1
long_away() { [ $((SECONDS - stopped)) -ge $AWAY_SECONDS ]; }
await 30 long_away
stays "... what is enforced stays after $AWAY_SECONDS s"
away=$((SECONDS - stopped))
attempts >/run/attempts
check "... the server was asked less and less often" \
	bounded "$(wc -l </run/attempts)" $away
printf '# figure: API server stopped for %d s: one knpd (3 watches) connects %d times, at %sseconds\n' \
	$away "$(wc -l </run/attempts)" \
	"$(awk 'NR == 1 { t = $1 } { printf "%.1f ", $1 - t }' /run/attempts)"
check "... the log has said it once" equals "$(said node1 'cannot connect')" 1
nft delete table ip asks

check "the server is started" host apiserver start
change "a policy comes at once, and is enforced in time" policy_comes y/deny <<-END
	podSelector: {}
END
check "... nothing is waited for any more" await $PATIENCE waits_for_nothing node1
check "... by the other node neither" await $PATIENCE waits_for_nothing node2
check "... the log says so" said_back node1
matrix "... packets, too" <<-END
	deny * x/* *
	allow x/* x/* 80/TCP
	deny * y/* *
END
brings "it is deleted" "$(objects networkpolicies 1)" \
	host kubectl delete networkpolicy -n y deny
before="$(generation node1) $(generation node2)"

# ---- paused ------------------------------------------------------------------

check "node1 is to doubt a watch that is silent for 4 s" \
	knpd_restart node1 --idle-timeout 4
check "the server is paused" host apiserver pause
check "... node1 says so" await 20 waits_for node1 "sent nothing for"
check "... node2 does not know yet" waits_for_nothing node2
stays "... what is enforced stays"
check "the server is resumed" host apiserver resume
change "a policy comes at once, and is enforced in time" policy_comes y/deny <<-END
	podSelector: {}
END
brings "it is deleted" "$(objects networkpolicies 1)" \
	host kubectl delete networkpolicy -n y deny
before="$(generation node1) $(generation node2)"

# ---- unreachable ---------------------------------------------------------------

silence() {
	nft -f - <<-END
	table ip silence {
		chain forward {
			type filter hook forward priority 0
			iifname "host2" drop
			oifname "host2" drop
		}
	}
	END
}
node1_knows() { knpd_says node1 "enforced and ($(objects networkpolicies 2))"; }

check "packets between node2 and the server are lost" silence
policy_comes x/own <<<'podSelector: {}' >/run/check.out
policy_comes y/deny <<<'podSelector: {}' >/run/check.out
check "policies change, and node1 knows" await 30 node1_knows
matrix "... node1 enforces them, node2 what it had" <<-END
	deny * x/* *
	allow x/* x/c 80/TCP
	deny * y/a *
END
check "... an open connection to node2 goes on" pings
nft delete table ip silence
brings "packets come again, and node2 knows" "$(objects networkpolicies 2)" true
matrix "... and enforces" <<-END
	deny * x/* *
	deny * y/* *
END
refute "... which cuts the open connection" pings

finish
