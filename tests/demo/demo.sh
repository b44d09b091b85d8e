#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# The walk of `make demo`, run as root in the guest: two nodes, six pods, the
# policies of manifests/, from a folder, or from an API server if there is one
# (`make demo CLUSTER=1`). Every connection is a real one, everything that is
# shown is read from the kernel. It ends with an error if something that is
# announced does not happen.
# shellcheck source=tests/guest/lib.sh
. /guest/lib.sh

write_hosts() {
	cat >$HOSTS <<-END
	shop/web shop-web node1 10.244.1.1 fd00:10:244:1::1 app=web
	shop/api shop-api node1 10.244.1.2 fd00:10:244:1::2 app=api
	ops/metrics ops-metrics node1 10.244.1.3 fd00:10:244:1::3 app=metrics
	shop/db shop-db node2 10.244.2.1 fd00:10:244:2::1 app=db
	lab/visitor lab-visitor node2 10.244.2.2 fd00:10:244:2::2 app=visitor
	ops/backup ops-backup node2 10.244.2.3 fd00:10:244:2::3 app=backup
	node1 node1 node1 192.168.50.1 fd00:50::1 -
	node2 node2 node2 192.168.50.2 fd00:50::2 -
	END
}

# shellcheck disable=SC2034 # used in strings below
if [ "$KNP_COLOR" = 1 ]; then
	bold=$'\e[1m' dim=$'\e[2m' red=$'\e[31m' green=$'\e[32m'
	yellow=$'\e[33m' blue=$'\e[36m' plain=$'\e[0m'
else
	bold='' dim='' red='' green='' yellow='' blue='' plain=''
fi
DEMO=/guest/demo
PORTS=80/TCP
chapter=0

# A reader needs a moment; a log does not.
moment() { [ "$KNP_COLOR" != 1 ] || sleep "${1:-0.7}"; }

title() {
	chapter=$((chapter + 1))
	printf '\n%s%s── %d. %s %s%s\n' "$bold" "$blue" "$chapter" "$1" \
		"$(printf '%*s' $((66 - ${#1})) '' | sed 's/ /─/g')" "$plain"
	moment
}

say() {
	printf '%s\n' "$*"
	moment 0.4
}

fail() {
	printf '%s%s%s\n' "$red" "demo: $*" "$plain"
	exit 1
}

# run NODE COMMAND...: shows it as one would type it on that node
show() {
	local node=$1

	shift
	printf '%s%s#%s %s\n' "$dim" "$node" "$plain$bold" "$*$plain"
	if [ "$1" = knpctl ]; then
		shift
		ctl "$node" "$@" || fail "knpctl $1 failed"
	else
		on "$node" "$@"
	fi
	moment
}

# typed COMMAND: as an administrator would type it
typed() { printf '%sadmin$%s %s%s\n' "$dim" "$plain$bold" "$1" "$plain"; }

# draw: the matrix of the connections just made; cells that changed stand out
draw() {
	awk -v green="$green" -v red="$red" -v plain="$plain" -v yellow="$yellow" \
		-v bold="$bold" '
	function cell(from, to, file, a, b) {
		a = got[file, from, to, 4]; b = got[file, from, to, 6]
		if (a == "yes" && b == "yes") return "o"
		return a != "yes" && b != "yes" ? "x" : "?"
	}
	FILENAME != last { last = FILENAME; files++ }
	{
		split($1, w, "->"); split(w[2], v, ":"); f = substr($1, length($1))
		sub(/got=/, "", $3)
		got[files, w[1], v[1], f] = $3
		if (!(w[1] in seen)) { seen[w[1]]; order[++n] = w[1] }
	}
	END {
		printf "    %-13s", "from \\ to"
		for (d = 1; d <= n; d++) printf "%-13s", order[d]
		printf "\n"
		for (s = 1; s <= n; s++) {
			printf "    %-13s", order[s]
			for (d = 1; d <= n; d++) {
				c = cell(order[s], order[d], files)
				before = files > 1 ? cell(order[s], order[d], 1) : c
				text = c == "o" ? "open" : c == "x" ? "closed" : "mixed"
				printf "%s%s%-13s%s", c == before ? "" : bold, \
					c == "o" ? green : red, text, plain
			}
			printf "\n"
		}
	}' "$@"
}

# connect_all FILE < RULES: a real connection from everyone to everyone
connect_all() {
	rules_to_spec "80/TCP" >/run/spec
	rm -f "$1"
	probe matrix --log "$1" </run/spec >/run/outcome ||
		fail "connections are not what the policies say: $(cat /run/outcome)"
	sed 's/^# /    /' /run/outcome
}

enforced() {
	local node

	for node in node1 node2; do
		enforced_since $node "$1" ||
			fail "$node: $(tail -n 3 "$LOGS/knpd-$node.log")"
	done
}

version() { status node1 enforced_version; }

describe_policies() {
	local file

	for file in "$DEMO"/manifests/[1-9]*.yaml; do
		printf '    %s%s%s\n' "$yellow" "$(basename "$file")" "$plain"
		grep '^#' "$file" | sed '1d; s/^# */      /'
	done
}

SOURCE=folder
[ ! -d /guest/host ] || SOURCE=server
# shellcheck source=tests/demo/folder.sh
. $DEMO/$SOURCE.sh

clear_line() { printf '%s\n' "$1" | sed 's/^/    /'; }

printf '%sknp%s: Kubernetes NetworkPolicy, enforced in the kernel\n' "$bold" "$plain"
say "This is a stock Debian kernel, $(uname -r), in QEMU. Its network namespaces are
two nodes and six pods; every connection below is a real one."

title "A small cluster"
sed "s/|/$dim|$plain/g" <<'END'
    +- node1 -----------------------+        +- node2 -----------------------+
    |  shop/web     10.244.1.1      |        |  shop/db      10.244.2.1      |
    |  shop/api     10.244.1.2      |  wire  |  lab/visitor  10.244.2.2      |
    |  ops/metrics  10.244.1.3      +--------+  ops/backup   10.244.2.3      |
    |  knp.ko + knpd                |        |  knp.ko + knpd                |
    +-------------------------------+        +-------------------------------+
END
source_up
serve
objects_come
load_module || fail "knp.ko does not load"
printf '%snode1#%s insmod knp.ko%s\n' "$dim" "$plain$bold" "$plain"
for node in node1 node2; do
	printf '%s%s#%s knpd --node %s %s &%s\n' "$dim" $node "$plain$bold" \
		$node "${KNPD_SOURCE[$node]}" "$plain"
	knpd_start $node
done
enforced 0
say "Who reaches whom, at 80/TCP, over IPv4 and IPv6:"
connect_all /run/before <<-END
END
draw /run/before

title "Policies"
policies_come
connect_all /run/after <<-END
	deny  *            shop/*    *
	allow *            shop/web  *
	allow shop/web     shop/api  *
	allow shop/api     shop/db   *
	allow ops/backup   shop/db   *
	deny  lab/*        *         *
	allow lab/visitor  shop/web  *
END
draw /run/before /run/after

title "What the kernel holds"
show node1 knpctl status
show node1 knpctl get policies
show node1 knpctl get endpoints
show node1 knpctl get rules

title "Why"
say "explain asks the code that judges packets:"
show node1 knpctl explain shop/web shop/api 80/TCP
show node1 knpctl explain ops/metrics shop/api 80/TCP

title "A drop, live"
ip netns exec node1 knpctl monitor --runtime-dir "$(runtime_of node1)" --count 1 \
	--events >/run/monitor 2>"$LOGS/monitor.err" &
monitor=$!
printf '%snode1#%s knpctl monitor --count 1 &%s\n' "$dim" "$plain$bold" "$plain"
printf '%sops/metrics$%s connect shop/api 80/TCP%s\n' "$dim" "$plain$bold" "$plain"
reported() {
	DEADLINE=300 one ops-metrics 10.244.1.2 80/TCP >/dev/null
	[ -s /run/monitor ]
}
await 20 reported || fail "no event"
wait $monitor
clear_line "$(cat /run/monitor)"
moment

title "A policy change cuts an open connection"
say "shop/api and ops/backup each hold a connection to shop/db open:"
hold_open api shop-api 10.244.2.1 80 TCP --deadline 1000
hold_open backup ops-backup 10.244.2.1 80 TCP
ping_both() {
	local answer peer

	for peer in api backup; do
		answer=$(hold_say $peer ping)
		if [ "$answer" = pong ]; then
			printf '    %-8s one message over the open connection: %sanswered%s\n' \
				$peer "$green" "$plain"
		else
			printf '    %-8s one message over the open connection: %slost%s\n' \
				$peer "$red" "$plain"
		fi
		[ "$answer" = "$1" ] || fail "$peer: $answer"
		shift
	done
	moment
}
ping_both pong pong
say "Now the rule for shop/api goes out of the database's policy. knp keeps no
state per connection, so the very next packet is judged by the new generation:"
policy_changes 40-shop-db.yaml < <(sed 's/app: api/app: nobody/' \
	"$DEMO/manifests/40-shop-db.yaml")
ping_both lost pong
hold_close api
hold_close backup

title "And away again"
for node in node1 node2; do
	knpd_kill $node TERM
done
say "knpd has ended; the kernel goes on enforcing generation $(generation node1):"
connect_all /run/gone <<-END
	deny  *            shop/*    *
	allow *            shop/web  *
	allow shop/web     shop/api  *
	allow ops/backup   shop/db   *
	deny  lab/*        *         *
	allow lab/visitor  shop/web  *
END
rmmod knp || fail "knp.ko does not unload"
printf '%snode1#%s rmmod knp%s\n' "$dim" "$plain$bold" "$plain"
connect_all /run/unloaded <<-END
END
say "Unloaded, everything is open as it was. Nothing is left behind."
printf '\n%sTry the policies without a kernel:%s\n' "$bold" "$plain"
echo "    build/knpctl simulate -f tests/demo/manifests --matrix --port 80/TCP"
