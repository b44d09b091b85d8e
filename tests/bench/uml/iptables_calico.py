# SPDX-License-Identifier: Apache-2.0
"""Calico Felix's rules for a Workload: iptables and ipset.

As rendered by felix/rules (calico 87c15906f20c): a prefix tree of interface
names, one chain for each pod, one for each policy; marks 0x10000 accept, 0x20000
pass. Peers must be pods. Pod N is behind the device model.device() names.
"""

MARK = "-m mark --mark %s -j %s"


def device(pod):
    return "cali%02x" % pod


def peer_set(p):
    return "cali40s:%d" % p.peer_class


def sets(w):
    family = "inet" if w.bits == 32 else "inet6"
    out = []
    for c in sorted({p.peer_class for p in w.policies}):
        out.append("create cali40s:%d hash:net family %s maxelem 1048576" %
                   (c, family))
        out += ["add cali40s:%d %s" % (c, w.text(pod)) for pod in w.members[c]]
    return "\n".join(out) + "\n"


def forward():
    return ["FORWARD -j cali-FORWARD",
            "FORWARD " + MARK % ("0x10000/0x10000", "ACCEPT"),
            "FORWARD -j MARK --set-mark 0x10000/0x10000",
            "cali-FORWARD -j MARK --set-mark 0/0x1a0000",
            "cali-FORWARD " + MARK % ("0/0x10000", "cali-from-hep-forward"),
            "cali-FORWARD -i cali+ -j cali-from-wl-dispatch",
            "cali-FORWARD -o cali+ -j cali-to-wl-dispatch",
            "cali-FORWARD -j cali-to-hep-forward",
            "cali-FORWARD -j cali-cidr-block"]


def dispatch(w):
    """Two trees by the first hex digit, which end in a chain for each pod."""
    out = []
    for way, flag, leaf in (("from", "-i", "fw"), ("to", "-o", "tw")):
        root = "cali-%s-wl-dispatch" % way
        out += ["%s %s cali%x+ -g %s-%x" % (root, flag, digit, root, digit)
                for digit in range(16)]
        out += ["%s-%x %s %s -g cali-%s-%s" %
                (root, pod >> 4, flag, device(pod), leaf, device(pod))
                for pod in range(w.subjects)]
        out += ["%s-%x -j DROP" % (root, digit) for digit in range(16)]
        out.append(root + " -j DROP")
    return out


def endpoint(chain):
    return [chain + "-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
            chain + "-m conntrack --ctstate INVALID -j DROP",
            chain + "-j MARK --set-mark 0/0x30000"]


def profile(chain, name):
    return [chain + "-j " + name,
            chain + MARK % ("0x10000/0x10000", "RETURN"),
            chain + "-j DROP"]


def pod_rules(w, pod):
    to = "cali-tw-%s " % device(pod)
    out = endpoint(to) + [to + "-j MARK --set-mark 0/0x20000"]
    for p in w.app_policies(w.app_of(pod)):
        out += [to + MARK % ("0/0x20000", "cali-pi-%d" % p.number),
                to + MARK % ("0x10000/0x10000", "RETURN")]
    out.append(to + MARK % ("0/0x20000", "DROP"))
    out += profile(to, "cali-pri-kns")
    away = "cali-fw-%s " % device(pod)
    out += endpoint(away)
    out += [away + "-p 17 -m multiport --destination-ports 4789 -j DROP",
            away + "-p 4 -j DROP"]
    return out + profile(away, "cali-pro-kns")


def policy_rules(p):
    return ["cali-pi-%d -p tcp -m set --match-set %s src "
            "-m multiport --destination-ports %d "
            "-j MARK --set-mark 0x10000/0x10000" %
            (p.number, peer_set(p), p.port)]


def rules(w):
    out = forward() + dispatch(w)
    for pod in range(w.subjects):
        out += pod_rules(w, pod)
    out += ["cali-pri-kns -j MARK --set-mark 0x10000/0x10000",
            "cali-pro-kns -j MARK --set-mark 0x10000/0x10000"]
    for p in w.policies:
        out += policy_rules(p)
    chains = {rule.split()[0] for rule in out} - {"FORWARD"}
    chains |= {"cali-from-hep-forward", "cali-to-hep-forward",
               "cali-cidr-block"}
    lines = []
    for rule in out:
        chain, rest = rule.split(" ", 1)
        lines.append("-A %s -m comment --comment c %s" % (chain, rest))
    return "\n".join(["*filter"] + [":%s - -" % c for c in sorted(chains)] +
                     lines + ["COMMIT"]) + "\n"
