# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# What scenarios against a real API server share (see tests/cluster/up): the way
# to it, what a pod of knpd's account finds in its files, and `host`, by which
# this guest has things done on the machine it runs on. Sourced after lib.sh.
#
#     node1, node2 ---- veth ---- guest, masquerading ---- 10.0.2.2, the host
#
# Only the nodes have this way, and only to that address: pods and matrices see
# the topology as it is without it.

HOST_FILES=/guest/host
HOST_ADDRESS=10.0.2.2
GUEST_ADDRESS=10.0.2.15
# as a kubelet mounts them
ACCOUNT=/var/run/secrets/kubernetes.io/serviceaccount
KUBECONFIG_KNPD=$ACCOUNT/kubeconfig
read -r HOST_PORT HOST_SECRET <$HOST_FILES/control
# one the way of a kubeconfig, the other that of a pod
# shellcheck disable=SC2034 # lib.sh uses it
KNPD_SOURCE=(
	[node1]="--kubeconfig $KUBECONFIG_KNPD --start-spread 0"
	[node2]="--in-cluster --start-spread 0"
)
export KUBERNETES_SERVICE_HOST=$HOST_ADDRESS KUBERNETES_SERVICE_PORT

# host ACTION...: has it done by tests/cluster/control.py; if the last argument is
# "-", standard input goes along. The action's output and status are this one's.
#
#   kubectl ARG...             as the administrator
#   patch PATH -               a merge patch on stdin, without starting kubectl
#   apiserver stop|start       start returns when it is ready
#   apiserver start older      as servers are that offer no WatchList
#   apiserver pause|resume     it takes connections and says nothing
#   etcd compact
#   token rotate               prints a new one; the old one dies within 10 s
#   rbac without VERB RESOURCE
#   rbac restore
#   can-i                      what the server says that knpd may do
#   requests                   knpd's, as audit events, one a line
host() {
	local LC_ALL=C input='' status stream

	[ "${!#}" != - ] || input=$(cat)
	exec {stream}<>"/dev/tcp/$HOST_ADDRESS/$HOST_PORT" || return 1
	printf '%s\n' "$HOST_SECRET" $# "$@" ${#input} >&"$stream"
	printf %s "$input" >&"$stream"
	read -r status <&"$stream" || status=1
	cat <&"$stream"
	exec {stream}>&-
	return "$status"
}

# account_write CA: stdin becomes the token in one step, as a kubelet does it
account_write() {
	local version=..$EPOCHREALTIME

	mkdir "$ACCOUNT/$version"
	cp "$HOST_FILES"/*.crt "$HOST_FILES"/*kubeconfig "$ACCOUNT/$version/"
	cp "$HOST_FILES/$1" "$ACCOUNT/$version/ca.crt"
	tr -d '\n' >"$ACCOUNT/$version/token"
	ln -s "$version" $ACCOUNT/..data_tmp
	mv -T $ACCOUNT/..data_tmp $ACCOUNT/..data
}

token_rotate() { host token rotate | account_write ca.crt; }

account_up() {
	local name

	mkdir -p $ACCOUNT
	account_write ca.crt <$HOST_FILES/token
	for name in token ca.crt other-ca.crt kubeconfig other-ca.kubeconfig; do
		ln -s ..data/$name $ACCOUNT/$name
	done
}

# node_way N: the way of a node to the host
node_way() {
	local node=node$1 link=host$1 here=10.0.3.$((4 * $1 + 1))

	ip link add "$link" type veth peer name host netns "$node"
	ip addr add "$here/30" dev "$link"
	ip link set "$link" up
	ip -n "$node" -batch - <<-END
	addr add 10.0.3.$((4 * $1 + 2))/30 dev host
	link set host up
	route add $HOST_ADDRESS via $here
	END
}

# uplink_up: the way of the guest itself to the host, by the device of LINK
uplink_up() {
	modprobe -a virtio_pci virtio_net nft_log nf_log_syslog || return 1
	LINK=$(basename /sys/bus/virtio/drivers/virtio_net/virtio*/net/*)
	ip addr add $GUEST_ADDRESS/24 dev "$LINK"
	ip link set "$LINK" up
	sysctl -qw net.ipv4.ip_forward=1
}

network_up() {
	uplink_up || return 1
	node_way 1
	node_way 2
	nft -f - <<-END
	table ip host {
		chain postrouting {
			type nat hook postrouting priority srcnat
			oifname "$LINK" masquerade
		}
	}
	END
}

# pod_object: the Pod of pod_manifest as one creates it. What its network plugin
# would say is in an annotation, for the stand-in of the kubelet.
pod_object() {
	local facts

	read -r facts
	echo "$facts" | pod_manifest | awk -v facts="$facts" '
	BEGIN { split(facts, fact, " ") }
	/^status:/ { exit }
	/^  uid:/ {
		print "  annotations:"
		print "    knp.test/addresses: \"" fact[4] "," fact[5] "\""
		next
	}
	/^  - name: main/ { print; print "    image: none"; next }
	{ print }'
}

# create, update: manifests on stdin go to the API server. Names are quoted on the
# way: for kubectl a bare y is the boolean.
create() { quote_names | host kubectl create -f -; }
update() { quote_names | host kubectl apply -f -; }

quote_names() {
	sed -E 's/(\<(name|namespace|metadata\.name): )([a-z0-9-]+)/\1"\3"/g'
}

namespaces_create() {
	local name

	for name; do
		namespace_manifest "$name"
	done | create || return 1
	# without its ServiceAccount no pod may come into a namespace
	for name; do
		host kubectl wait --for=create --timeout=20s -n "$name" \
			serviceaccount/default || return 1
	done
}

pods_create() {
	local line

	while read -r line; do
		echo "$line" | pod_object
	done | create
}

# cluster_create: everything in HOSTS
cluster_create() {
	# shellcheck disable=SC2046 # words are wanted
	namespaces_create $(pods | sed 's|/.*||' | sort -u) && pods | pods_create
}

# knpd_says NODE CONDITION: of the node's status file; of(RESOURCE) is what it
# says of a resource, enforced that nothing is under way
knpd_says() {
	jq -e "def of(r): .source.resources[] | select(.resource == r);
		def enforced: .state == \"synced\" and
			.store_version == .enforced_version and
			.batches == .enforced_batches;
		$2" "$(status_of "$1")"
}

# brings NAME CONDITION COMMAND...: the command changes something at the API
# server; a test: both nodes say in time that the condition is enforced
brings() {
	local name=$1 condition=$2 node code=0

	shift 2
	"$@" >/run/check.out 2>&1 || code=1
	for node in node1 node2; do
		await "$PATIENCE" knpd_says $node "enforced and ($condition)" || code=1
	done
	result "$code" "$name"
	[ "$code" = 0 ] || diag "$condition: $(cat /run/check.out
		jq -c . "$(status_of node1)" "$(status_of node2)")"
	return 0
}

# newest RESOURCE: the condition that its newest version has been seen
newest() {
	echo "of(\"$1\").resource_version | tonumber >=
		$(host kubectl get "$1" -A -o json |
			jq '[.items[].metadata.resourceVersion | tonumber] | max')"
}

# objects RESOURCE NUMBER: the condition that there are so many
objects() { echo "of(\"$1\").objects == $2"; }

# what a stranger needs to see of the server
cluster_evidence() {
	host requests >"$LOGS/requests"
	host kubectl get -A -o yaml namespaces,pods,networkpolicies \
		>"$LOGS/objects.yaml"
	cleanup
}

# cluster_up: topology, network, files; nothing is in the API server yet
cluster_up() {
	topology_up && network_up && account_up || return 1
	KUBERNETES_SERVICE_PORT=$(server | sed 's/.*://')
}

server() { jq -r '.clusters[0].cluster.server' $KUBECONFIG_KNPD; }

# from NODE PATH [CURL-OPTION...]: GET of the API server as knpd would, in the
# node's namespace, verifying the server
from() {
	local node=$1 path=$2

	shift 2
	on "$node" curl -sS --max-time 20 --cacert $ACCOUNT/ca.crt \
		-H "Authorization: Bearer $(cat $ACCOUNT/token)" "$@" "$(server)$path"
}

trap cluster_evidence EXIT
