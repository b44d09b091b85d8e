# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# Services on node1, by the rules that kube-proxy 1.36 installs in each of its
# modes, and NodeLocal DNS by those of node-cache. Left out is what decides
# nothing here: comments, hashes in names, session affinity, source ranges,
# Services without endpoints, the counters of localhost.
#
#   proxy_up iptables|nftables|ipvs, proxy_down
#   dns_link, dns_up
#
# The Services, all of port 8080 with backends at port 80 in TCP, UDP and SCTP,
# each as ClusterIP 10.96.0.N, NodePort 3008N and LoadBalancer 203.0.113.N
# (fd00:96::N, 2001:db8:cb::N):
SERVICES='
1 Cluster x/b
2 Cluster x/c
3 Local   x/b x/c
4 Cluster z/a
'
PROTOCOLS='tcp udp sctp'
DNS4=169.254.20.10
DNS6=fd00:20::a

# What follows is for one family at a time. No subshells: an emulated CPU takes
# its time for each.
declare -A AT BESIDE

# family 4|6: names and addresses
family() {
	local name where ip4 ip6

	if [ "$1" = 4 ]; then
		ip=ip inet=inet prefix=32 kube=KUBE
		vip=10.96.0. lb=203.0.113. pod_net=10.244.0.0/16
		loopback=127.0.0.0/8
	else
		ip=ip6 inet=inet6 prefix=128 kube=KUBE-6
		vip=fd00:96:: lb=2001:db8:cb:: pod_net=fd00:10:244::/48
		loopback=::1/128
	fi
	while read -r name _ where ip4 ip6 _; do
		AT[$name]=$ip4
		[ "$1" = 4 ] || AT[$name]=$ip6
		BESIDE[$name]=$where
	done <"$HOSTS"
	node=${AT[node1]}
}

# near POD...: those of node1 in "beside"
near() {
	beside=()
	for pod; do
		[ "${BESIDE[$pod]}" != node1 ] || beside+=("$pod")
	done
}

# socket ADDRESS PORT: sets "socket"
socket() {
	socket=$1:$2
	[ "$ip" = ip ] || socket="[$1]:$2"
}

# each FUNCTION: called with N, POLICY, PROTOCOL, BACKEND...
each() {
	local n policy backends proto

	while read -r n policy backends; do
		[ -n "$n" ] || continue
		for proto in $PROTOCOLS; do
			# shellcheck disable=SC2086 # words are wanted
			"$1" "$n" "$policy" "$proto" $backends
		done
	done <<<"$SERVICES"
}

# ---- iptables ----------------------------------------------------------------

# of every mode that uses iptables
MASQUERADE="\
-A KUBE-MARK-MASQ -j MARK --or-mark 0x4000
-A KUBE-POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN
-A KUBE-POSTROUTING -j MARK --xor-mark 0x4000
-A KUBE-POSTROUTING -j MASQUERADE --random-fully"

# iptables_endpoints CHAIN NAME BACKEND...: the jumps to them
iptables_endpoints() {
	local chain=$1 name=$2 chance

	shift 2
	while [ $# -gt 0 ]; do
		chance="-m statistic --mode random --probability 0.$((100 / $#))"
		[ $# -gt 1 ] || chance=
		echo "-A $chain $chance -j KUBE-SEP-$name-${1/\//-}"
		shift
	done
}

iptables_chains() {
	local name=$1-$3 pod

	shift 3
	for pod in SVC EXT SVL "${@/#/SEP-$name-}"; do
		[[ $pod == SEP* ]] || pod=$pod-$name
		echo ":KUBE-${pod/\//-} - [0:0]"
	done
}

iptables_service() {
	local n=$1 policy=$2 name=$1-$3 to="-m $3 -p $3" pod

	shift 3
	echo "-A KUBE-SERVICES $to -d $vip$n --dport 8080 -j KUBE-SVC-$name
-A KUBE-SERVICES $to -d $lb$n --dport 8080 -j KUBE-EXT-$name
-A KUBE-NODEPORTS $to --dport 3008$n -j KUBE-EXT-$name
-A KUBE-SVC-$name ! -s $pod_net $to -d $vip$n --dport 8080 -j KUBE-MARK-MASQ"
	iptables_endpoints "KUBE-SVC-$name" "$name" "$@"
	for pod; do
		socket "${AT[$pod]}" 80
		echo "-A KUBE-SEP-$name-${pod/\//-} -s ${AT[$pod]} -j KUBE-MARK-MASQ
-A KUBE-SEP-$name-${pod/\//-} $to -j DNAT --to-destination $socket"
	done
	if [ "$policy" = Cluster ]; then
		echo "-A KUBE-EXT-$name -j KUBE-MARK-MASQ
-A KUBE-EXT-$name -j KUBE-SVC-$name"
		return
	fi
	echo "-A KUBE-EXT-$name -s $pod_net -j KUBE-SVC-$name
-A KUBE-EXT-$name -m addrtype --src-type LOCAL -j KUBE-MARK-MASQ
-A KUBE-EXT-$name -m addrtype --src-type LOCAL -j KUBE-SVC-$name
-A KUBE-EXT-$name -j KUBE-SVL-$name"
	near "$@"
	iptables_endpoints "KUBE-SVL-$name" "$name" "${beside[@]}"
}

iptables_rules() {
	echo "*filter
:KUBE-FORWARD - [0:0]
-A FORWARD -j KUBE-FORWARD
-A KUBE-FORWARD -m conntrack --ctstate INVALID -j DROP
-A KUBE-FORWARD -m mark --mark 0x4000/0x4000 -j ACCEPT
-A KUBE-FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
COMMIT
*nat
:KUBE-SERVICES - [0:0]
:KUBE-NODEPORTS - [0:0]
:KUBE-POSTROUTING - [0:0]
:KUBE-MARK-MASQ - [0:0]"
	each iptables_chains
	echo "-A PREROUTING -j KUBE-SERVICES
-A OUTPUT -j KUBE-SERVICES
-A POSTROUTING -j KUBE-POSTROUTING
$MASQUERADE"
	each iptables_service
	echo "-A KUBE-SERVICES -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS
COMMIT"
}

# ---- nftables ----------------------------------------------------------------

# nftables_choice BACKEND...: one of them by chance, in "choice"
nftables_choice() {
	local pod i=0

	choice=
	for pod; do
		choice+=" $i : ${AT[$pod]} . 80,"
		i=$((i + 1))
	done
	choice="dnat $ip addr . port to numgen random mod $# map {$choice }"
}

nftables_service() {
	local n=$1 policy=$2 proto=$3 name=$1-$3 pod

	shift 3
	nftables_choice "$@"
	echo "add chain $ip kube-proxy service-$name
add chain $ip kube-proxy external-$name
add rule $ip kube-proxy service-$name meta l4proto $proto $choice
add element $ip kube-proxy cluster-ips { $vip$n }
add element $ip kube-proxy service-ips { $vip$n . $proto . 8080 : goto service-$name }
add element $ip kube-proxy service-ips { $lb$n . $proto . 8080 : goto external-$name }
add element $ip kube-proxy service-nodeports { $proto . 3008$n : goto external-$name }"
	for pod; do
		echo "add element $ip kube-proxy hairpin-connections { ${AT[$pod]} . ${AT[$pod]} . $proto . 80 }"
	done
	if [ "$policy" = Cluster ]; then
		echo "add rule $ip kube-proxy external-$name mark set mark or 0x4000
add rule $ip kube-proxy external-$name goto service-$name"
		return
	fi
	near "$@"
	nftables_choice "${beside[@]}"
	echo "add rule $ip kube-proxy external-$name $ip saddr $pod_net goto service-$name
add rule $ip kube-proxy external-$name fib saddr type local mark set mark or 0x4000
add rule $ip kube-proxy external-$name fib saddr type local goto service-$name
add rule $ip kube-proxy external-$name meta l4proto $proto $choice"
}

nftables_rules() {
	local type=ipv4_addr

	[ "$ip" = ip ] || type=ipv6_addr
	cat <<-END
	table $ip kube-proxy {
		set cluster-ips { type $type; }
		set nodeport-ips { type $type; elements = { $node } }
		set hairpin-connections {
			type $type . $type . inet_proto . inet_service
		}
		map service-ips { type $type . inet_proto . inet_service : verdict; }
		map service-nodeports { type inet_proto . inet_service : verdict; }
		chain services {
			$ip daddr @cluster-ips $ip saddr != $pod_net mark set mark or 0x4000
			$ip daddr . meta l4proto . th dport vmap @service-ips
			$ip daddr @nodeport-ips meta l4proto . th dport vmap @service-nodeports
		}
		chain masquerading {
			mark and 0x4000 != 0 mark set mark xor 0x4000 masquerade fully-random
			ct status dnat $ip saddr . $ip daddr . meta l4proto . th dport @hairpin-connections masquerade fully-random
		}
		chain cluster-ips-check {
			$ip daddr @cluster-ips reject
		}
		chain filter-forward {
			type filter hook forward priority 0
			ct state new jump cluster-ips-check
		}
		chain nat-output {
			type nat hook output priority -100
			jump services
		}
		chain nat-prerouting {
			type nat hook prerouting priority -100
			jump services
		}
		chain nat-postrouting {
			type nat hook postrouting priority 100
			jump masquerading
		}
	}
	END
	each nftables_service
}

# ---- IPVS --------------------------------------------------------------------

ipvs_addresses() {
	[ "$3" != tcp ] || echo "addr add $vip$1/$prefix dev kube-ipvs0
addr add $lb$1/$prefix dev kube-ipvs0"
}

# ipvs_server OPTION ADDRESS PORT BACKEND...
ipvs_server() {
	local which=$1 pod

	socket "$2" "$3"
	which+=" $socket"
	shift 3
	echo "-A $which -s rr"
	for pod; do
		socket "${AT[$pod]}" 80
		echo "-a $which -r $socket -m"
	done
}

ipvs_service() {
	local n=$1 policy=$2 which

	case $3 in
	tcp) which=-t ;;
	udp) which=-u ;;
	sctp) which=--sctp-service ;;
	esac
	shift 3
	near "$@"
	[ "$policy" = Local ] || beside=("$@")
	ipvs_server $which "$vip$n" 8080 "$@"
	ipvs_server $which "$lb$n" 8080 "${beside[@]}"
	ipvs_server $which "$node" "3008$n" "${beside[@]}"
}

# ipvs_member SET POLICY ELEMENT: in the set of local ones, too, if it is
ipvs_member() {
	local set

	echo "add $kube-$1 $3"
	case $2-$1 in
	Local-LOAD*) echo "add $kube-$1-LOCAL $3" ;;
	Local-NODE*)
		set=$kube-NODE-PORT-LOCAL-${1#NODE-PORT-}
		echo "add ${set:0:31} $3"
		;;
	esac
}

ipvs_members() {
	local n=$1 policy=$2 proto=$3 pod number

	shift 3
	case $proto in
	tcp) number=6 ;;
	udp) number=17 ;;
	sctp) number=132 ;;
	esac
	echo "add $kube-CLUSTER-IP $vip$n,$number:8080"
	ipvs_member LOAD-BALANCER "$policy" "$lb$n,$number:8080"
	if [ "$proto" = sctp ]; then
		ipvs_member NODE-PORT-SCTP-HASH "$policy" "$node,$number:3008$n"
	else
		ipvs_member "NODE-PORT-${proto^^}" "$policy" "3008$n"
	fi
	near "$@"
	for pod in "${beside[@]}"; do
		echo "add -exist $kube-LOOP-BACK ${AT[$pod]},$number:80,${AT[$pod]}"
	done
}

# The kernel's limit is 31 characters, and kube-proxy cuts there.
ipvs_sets() {
	local set

	for set in CLUSTER-IP LOAD-BALANCER LOAD-BALANCER-LOCAL \
		NODE-PORT-SCTP-HASH NODE-PORT-LOCAL-SCTP-HASH; do
		set=$kube-$set
		echo "create ${set:0:31} hash:ip,port family $inet"
	done
	for set in NODE-PORT-TCP NODE-PORT-LOCAL-TCP NODE-PORT-UDP NODE-PORT-LOCAL-UDP; do
		echo "create $kube-$set bitmap:port range 0-65535"
	done
	echo "create $kube-LOOP-BACK hash:ip,port,ip family $inet"
	each ipvs_members
}

# ipvs_node_ports PROTOCOL SET DIRECTION
ipvs_node_ports() {
	local set=$kube-NODE-PORT-LOCAL-$2

	echo "-A KUBE-NODE-PORT -p $1 -m set --match-set ${set:0:31} $3 -j RETURN
-A KUBE-NODE-PORT -p $1 -m set --match-set $kube-NODE-PORT-$2 $3 -j KUBE-MARK-MASQ"
}

ipvs_rules() {
	echo "*filter
:KUBE-FORWARD - [0:0]
-A FORWARD -j KUBE-FORWARD
-A KUBE-FORWARD -m mark --mark 0x4000/0x4000 -j ACCEPT
-A KUBE-FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
COMMIT
*nat
:KUBE-SERVICES - [0:0]
:KUBE-POSTROUTING - [0:0]
:KUBE-NODE-PORT - [0:0]
:KUBE-LOAD-BALANCER - [0:0]
:KUBE-MARK-MASQ - [0:0]
-A PREROUTING -j KUBE-SERVICES
-A OUTPUT -j KUBE-SERVICES
-A POSTROUTING -j KUBE-POSTROUTING
-A KUBE-SERVICES -s $loopback -j RETURN
-A KUBE-POSTROUTING -m set --match-set $kube-LOOP-BACK dst,dst,src -j MASQUERADE
-A KUBE-SERVICES -m set --match-set $kube-LOAD-BALANCER dst,dst -j KUBE-LOAD-BALANCER
-A KUBE-LOAD-BALANCER -m set --match-set $kube-LOAD-BALANCER-LOCAL dst,dst -j RETURN"
	ipvs_node_ports tcp TCP dst
	ipvs_node_ports udp UDP dst
	ipvs_node_ports sctp SCTP-HASH dst,dst
	echo "-A KUBE-SERVICES -m set --match-set $kube-CLUSTER-IP dst,dst ! -s $pod_net -j KUBE-MARK-MASQ
-A KUBE-SERVICES -m addrtype --dst-type LOCAL -j KUBE-NODE-PORT
-A KUBE-LOAD-BALANCER -j KUBE-MARK-MASQ
-A KUBE-SERVICES -m set --match-set $kube-CLUSTER-IP dst,dst -j ACCEPT
-A KUBE-SERVICES -m set --match-set $kube-LOAD-BALANCER dst,dst -j ACCEPT
$MASQUERADE
COMMIT"
}

ipvs_sysctls() {
	on node1 sysctl -qw net.ipv4.vs.conntrack=1 net.ipv4.vs.conn_reuse_mode=0 \
		net.ipv4.vs.expire_nodest_conn=1 \
		net.ipv4.vs.expire_quiescent_template=1 \
		net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.all.arp_announce=2
}

# ---- all ---------------------------------------------------------------------

# restore: iptables-restore of the family
restore() {
	on node1 xtables-nft-multi "${ip}tables-restore" --noflush
}

proxy_up_family() {
	family "$2"
	case $1 in
	iptables) iptables_rules | restore ;;
	nftables) nftables_rules | on node1 nft -f - ;;
	ipvs)
		each ipvs_addresses | ip -n node1 -batch - &&
			ipvs_sets | on node1 ipset restore &&
			ipvs_rules | restore &&
			each ipvs_service | on node1 ipvsadm -R
		;;
	esac
}

proxy_up() {
	[ "$1" != ipvs ] || {
		ip -n node1 link add kube-ipvs0 type dummy && ipvs_sysctls
	} || return 1
	proxy_up_family "$1" 4 && proxy_up_family "$1" 6
}

# proxy_down: nothing of any mode is left, nor of its connections
proxy_down() {
	on node1 nft flush ruleset
	ip -n node1 link del kube-ipvs0 2>/dev/null || return 0
	on node1 ipvsadm -C
	on node1 ipset destroy
}

# dns_rules ADDRESS: what node-cache puts before connection tracking
dns_rules() {
	local proto

	echo "*raw"
	for proto in tcp udp; do
		echo "-A PREROUTING -p $proto -d $1 --dport 53 -j NOTRACK
-A OUTPUT -p $proto -d $1 --dport 53 -j NOTRACK
-A OUTPUT -p $proto -s $1 --sport 53 -j NOTRACK"
	done
	echo "COMMIT"
	echo "*filter"
	for proto in tcp udp; do
		echo "-A INPUT -p $proto -d $1 --dport 53 -j ACCEPT
-A OUTPUT -p $proto -s $1 --sport 53 -j ACCEPT"
	done
	echo "COMMIT"
}

# dns_link: where NodeLocal DNS listens
dns_link() {
	ip -n node1 -batch - <<-END
	link add nodelocaldns type dummy
	addr add $DNS4/32 dev nodelocaldns
	addr add $DNS6/128 dev nodelocaldns nodad
	link set nodelocaldns up
	END
}

# dns_up: its rules, in every mode by iptables
dns_up() {
	family 4 && dns_rules $DNS4 | restore &&
		family 6 && dns_rules $DNS6 | restore
}
