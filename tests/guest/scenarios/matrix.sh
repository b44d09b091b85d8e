#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Policies decide about real packets: created, changed and deleted, and after
# each step every connection of every host to every host, in TCP, UDP and SCTP,
# IPv4 and IPv6, is what the policies say, on the first probe after both knpd
# report the change enforced. What is expected is written here by hand, and
# between pods `knpctl simulate` has to expect the same.
# shellcheck source=tests/guest/lib.sh
. /guest/lib.sh

topology_up
serve
cluster_manifests | publish cluster.yaml
check "module loads, both nodes enforce the first generation" nodes_start

matrix "no policy: everything is answered" <<-END
END
simulated "no policy: simulate agrees"

change "default deny of ingress in x" apply x/default-deny <<-END
	podSelector: {}
	policyTypes: [Ingress]
END
matrix "default deny: nothing reaches x but its own nodes" <<-END
	deny * x/* *
END
simulated "default deny: simulate agrees"

change "a policy for servers by the client's label" apply x/clients <<-END
	podSelector: {matchLabels: {app: server}}
	ingress:
	- from: [{podSelector: {matchLabels: {app: client}}}]
	  ports: [{port: 80, protocol: TCP}]
END
matrix "label: x/a reaches the servers of x at 80/TCP" <<-END
	deny * x/* *
	allow x/a x/b 80/TCP
	allow x/a x/c 80/TCP
END
simulated "label: simulate agrees"

change "the policy is changed in place: a namespace, a named port" \
	apply x/clients <<-END
	podSelector: {matchLabels: {app: server}}
	ingress:
	- from:
	  - namespaceSelector: {matchLabels: {team: y-team}}
	    podSelector: {matchLabels: {app: client}}
	  ports: [{port: web, protocol: TCP}, {port: web-udp, protocol: UDP}]
	- from: [{namespaceSelector: {matchLabels: {team: z-team}}}]
	  ports: [{port: web-sctp, protocol: SCTP}]
END
matrix "namespace and named port: the new rule holds, the old one is gone" <<-END
	deny * x/* *
	allow y/a x/b 80/TCP
	allow y/a x/c 80/TCP
	allow y/a x/b 80/UDP
	allow y/a x/c 80/UDP
	allow z/a x/b 80/SCTP
	allow z/a x/c 80/SCTP
END
simulated "namespace and named port: simulate agrees"

change "egress of y by name of a port and to one address block" \
	apply y/egress <<-END
	podSelector: {}
	policyTypes: [Egress]
	egress:
	- to: [{namespaceSelector: {}}]
	  ports: [{port: web, protocol: TCP}]
	- to:
	  - ipBlock: {cidr: 192.168.50.0/24}
	  - ipBlock: {cidr: "fd00:50::/64", except: ["fd00:50::2/128"]}
END
matrix "egress: a port name means the peer's own number" <<-END
	deny * x/* *
	allow y/a x/b 80/TCP
	allow y/a x/c 80/TCP
	allow z/a x/b 80/SCTP
	allow z/a x/c 80/SCTP
	deny y/* y/* *
	deny y/* z/* *
	allow y/* y/* 81/TCP
	allow y/* z/* 80/TCP
	deny y/* node2 * 6
END
simulated "egress: simulate agrees"

change "z is reached from an address block with an exception" apply z/blocks <<-END
	podSelector: {matchLabels: {app: client}}
	ingress:
	- from:
	  - ipBlock: {cidr: 10.244.0.0/16, except: [10.244.1.0/24]}
	  - ipBlock: {cidr: 10.244.1.2/32}
	  - ipBlock: {cidr: "fd00:10:244:1::/64", except: ["fd00:10:244:1::2/128"]}
	  ports: [{port: 80, endPort: 81, protocol: TCP}, {port: 80, protocol: SCTP}]
END
matrix "ipBlock: excepted addresses are out, another block brings one back" <<-END
	deny * x/* *
	allow y/a x/b 80/TCP
	allow y/a x/c 80/TCP
	allow z/a x/b 80/SCTP
	allow z/a x/c 80/SCTP
	deny * z/a *
	allow x/c z/a 8?/TCP 4
	allow x/c z/a 80/SCTP 4
	allow x/b z/a 8?/TCP 4
	allow x/b z/a 80/SCTP 4
	allow x/a z/a 8?/TCP 6
	allow x/a z/a 80/SCTP 6
	deny y/* y/* *
	deny y/* z/* *
	allow y/* y/* 81/TCP
	allow y/b z/a 80/TCP 4
	allow y/a z/a 80/TCP 6
	deny y/* node2 * 6
END
# simulate gives one answer per pair of pods, not one per family, so the
# families of z are not compared here

change "a pod gets another label" sh -c "
	sed '/name: b\$/,/tier:/s/app: server/app: client/' $MANIFESTS/cluster.yaml \
		>$MANIFESTS/.cluster.new
	mv $MANIFESTS/.cluster.new $MANIFESTS/cluster.yaml"
change "z/blocks is deleted" delete z/blocks
change "y/egress is deleted" delete y/egress
matrix "relabelled x/b is no server any more, z and y are free again" <<-END
	deny * x/* *
	allow y/a x/c 80/TCP
	allow y/a x/c 80/UDP
	allow y/b x/c 80/TCP
	allow y/b x/c 80/UDP
	allow z/a x/c 80/SCTP
END
simulated "relabelled: simulate agrees"

change "an ingress rule without peers and ports allows all" apply x/open <<-END
	podSelector: {}
	ingress: [{}]
END
matrix "allow all: everything is answered" <<-END
END
simulated "allow all: simulate agrees"

change "allow all is deleted" delete x/open
change "x/clients is deleted" delete x/clients
matrix "default deny is what remains" <<-END
	deny * x/* *
END
change "default deny is deleted" delete x/default-deny
matrix "no policy is left: everything is answered" <<-END
END
simulated "no policy is left: simulate agrees"

finish
