# SPDX-License-Identifier: Apache-2.0
"""kube-router's rules for a Workload: iptables and ipset.

As rendered by pkg/controllers/netpol (kube-router 7c2c2779e397). Every packet
walks four rules for each local pod. Only pods that a policy selects are in the
list here, as if the others were not on the node. One thing differs: a packet that
no policy allows is dropped, not answered by REJECT, which would cost more.
"""


def peer_set(p):
    return "KUBE-SRC-%d" % p.number


def sets(w):
    family = " family inet" if w.bits == 32 else " family inet6"
    out = []
    for p in w.policies:
        kind = "hash:net" if p.blocks else "hash:ip"
        tail = " timeout 0"
        dst = "KUBE-DST-%d" % p.number
        out.append("create %s %s%s maxelem 1048576%s" %
                   (peer_set(p), kind, family, tail))
        members = ([w.block_text(b) for b in p.blocks] or
                   [w.text(pod) for pod in w.members[p.peer_class]])
        out += ["add %s %s%s" % (peer_set(p), m, tail) for m in members]
        out.append("create %s hash:ip%s%s" % (dst, family, tail))
        out += ["add %s %s%s" % (dst, w.text(pod), tail)
                for pod in w.app_pods(p.app)]
    return "\n".join(out) + "\n"


def icmp(w):
    if w.bits == 32:
        return ["-p icmp --icmp-type " + t for t in
                ("echo-request", "destination-unreachable", "time-exceeded")]
    return ["-p icmpv6 --icmpv6-type " + t for t in
            ("echo-request", "destination-unreachable", "time-exceeded")]


def policy_rules(p):
    match = ("-A KUBE-NWPLCY-%d -m comment --comment c "
             "-m set --match-set %s src -m set --match-set KUBE-DST-%d dst "
             "-p TCP --dport %d " % (p.number, peer_set(p), p.number, p.port))
    return [match + "-j MARK --set-mark 0x10000/0x10000",
            match + "-m mark --mark 0x10000/0x10000 -j RETURN"]


def pod_rules(w, pod, address):
    chain = "-A KUBE-POD-FW-%d -m comment --comment c " % pod
    mark = "-m mark ! --mark 0x10000/0x10000 "
    return ([chain + "-j KUBE-NWPLCY-COMMON",
             chain + "-m addrtype --src-type LOCAL -d %s -j ACCEPT" % address,
             chain + "-s %s -j KUBE-NWPLCY-DEFAULT" % address] +
            [chain + "-d %s -j KUBE-NWPLCY-%d" % (address, p.number)
             for p in w.app_policies(w.app_of(pod))] +
            [chain + mark + "-j NFLOG --nflog-group 100 "
             "-m limit --limit 10/minute --limit-burst 10",
             chain + mark + "-j DROP",
             "-A KUBE-POD-FW-%d -j MARK --set-mark 0/0x10000" % pod,
             chain + "-j MARK --set-mark 0x20000/0x20000"])


def rules(w):
    names = ["KUBE-ROUTER-FORWARD", "KUBE-NWPLCY-COMMON",
             "KUBE-NWPLCY-DEFAULT", "KUBE-NWPLCY-TAIL"]
    names += ["KUBE-NWPLCY-%d" % p.number for p in w.policies]
    names += ["KUBE-POD-FW-%d" % pod for pod in range(w.subjects)]
    note = " -m comment --comment c "
    common = "-A KUBE-NWPLCY-COMMON" + note
    out = ["*filter"] + [":%s - -" % name for name in names]
    out += ["-A FORWARD" + note + "-j KUBE-ROUTER-FORWARD",
            common + "-m conntrack --ctstate INVALID -j DROP",
            common + "-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"]
    out += [common + match + " -j ACCEPT" for match in icmp(w)]
    out += ["-A KUBE-NWPLCY-DEFAULT" + note + "-j MARK --set-mark 0x10000/0x10000",
            "-A KUBE-NWPLCY-TAIL" + note +
            "-m mark --mark 0x20000/0x20000 -j ACCEPT"]
    for p in w.policies:
        out += policy_rules(p)
    forward = "-A KUBE-ROUTER-FORWARD" + note
    for pod in range(w.subjects):
        address = w.text(w.local[pod])
        out += pod_rules(w, pod, address)
        for where in ("-d", "-s"):
            for bridged in ("", "-m physdev --physdev-is-bridged "):
                out.append("%s%s%s %s -j KUBE-POD-FW-%d" %
                           (forward, bridged, where, address, pod))
    out += [forward + "-j KUBE-NWPLCY-TAIL",
            forward + "-m mark --mark 0x20000/0x20000 -j ACCEPT",
            "COMMIT"]
    return "\n".join(out) + "\n"
