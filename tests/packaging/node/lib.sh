# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# What scenarios of a node share: three pods on it, and what they reach.
#
#   shop/db   10.244.1.1   isolated; policies let shop/web in
#   shop/web  10.244.1.2
#   lab/any   10.244.1.3
# shellcheck source=tests/guest/tap.sh
. /guest/tap.sh

PATIENCE=60

# pod NETNS ADDRESS MAC: routed, as with Azure CNI's transparent mode; neighbours
# are static
pod() {
	ip netns add "$1"
	ip link add "v-$1" address aa:aa:aa:aa:aa:aa type veth \
		peer name eth0 address "$3" netns "$1"
	ip link set "v-$1" up
	ip -n "$1" link set lo up
	ip -n "$1" link set eth0 up
	ip -n "$1" addr add "$2/32" dev eth0
	ip -n "$1" route add 169.254.1.1 dev eth0
	ip -n "$1" route add default via 169.254.1.1
	ip -n "$1" neigh add 169.254.1.1 lladdr aa:aa:aa:aa:aa:aa dev eth0
	ip route add "$2" dev "v-$1"
	ip neigh add "$2" lladdr "$3" dev "v-$1"
	echo 0 >"/proc/sys/net/ipv4/conf/v-$1/rp_filter"
}

pods() {
	echo 1 >/proc/sys/net/ipv4/ip_forward
	echo 0 >/proc/sys/net/ipv4/conf/all/rp_filter
	pod db 10.244.1.1 02:00:0a:f4:01:01
	pod web 10.244.1.2 02:00:0a:f4:01:02
	pod any 10.244.1.3 02:00:0a:f4:01:03
	probe serve --log /run/datagrams db -- 80/TCP 80/UDP >/run/serve.ready \
		2>"$LOGS/serve" &
	await "$PATIENCE" grep -q ready /run/serve.ready
}

# flows YES|NO of lab/any: of shop/web it is always yes
flows() {
	cat <<-END
	web 10.244.1.1 80 TCP yes web
	web 10.244.1.1 80 UDP yes web
	any 10.244.1.1 80 TCP $1 any
	any 10.244.1.1 80 UDP $1 any
	END
}

judged() { flows no | probe matrix --deadline 8000 --grace 500 --log "$LOGS/matrix"; }
open() { flows yes | probe matrix --deadline 8000 --log "$LOGS/matrix"; }

# That it holds all the time: rounds of judged() until /run/traffic is gone.
traffic() {
	local round=0

	while [ -e /run/traffic ]; do
		judged >/run/traffic.last || cat /run/traffic.last >>/run/traffic.bad
		round=$((round + 1))
		echo "$round" >/run/traffic.rounds
	done
}

traffic_start() {
	touch /run/traffic
	traffic &
	# shellcheck disable=SC2034 # for the scenario
	TRAFFIC=$!
	more_rounds 1
}

rounds() { cat /run/traffic.rounds 2>/dev/null || echo 0; }
after_round() { [ "$(rounds)" -ge "$1" ]; }
more_rounds() { await "$PATIENCE" after_round $(($(rounds) + $1)); }
undisturbed() { more_rounds 2 && { [ ! -s /run/traffic.bad ] || { cat /run/traffic.bad; return 1; }; }; }

active() { equals "$(systemctl is-active "$1")" active; }
loaded() { [ -d /sys/module/knp ]; }
unloaded() { [ ! -d /sys/module/knp ]; }
synced() { contains "$(knpctl status)" synced; }
# what the kernel holds, whoever is running
kernel() { knpctl status -o json | jq -c '.module | [.instance, .generation, .attached]'; }

# try STATUS WORDS COMMAND...: how it ends, and what it says among others
try() {
	local status=$1 words=$2 said code=0

	shift 2
	said=$("$@" 2>&1) || code=$?
	equals "$code" "$status" && contains "$said" "$words"
}

journal() { journalctl -b -o cat -u "$1"; }
unsigned() { cp /guest/unsigned.ko "/lib/modules/$(uname -r)/updates/dkms/knp.ko"; }
clean_log() {
	! dmesg | grep -E 'WARNING:|BUG:|Oops|Call Trace|refcount_t|knp: .*(leak|bug)'
}
