# SPDX-License-Identifier: Apache-2.0
"""Azure NPM v2's rules for a Workload: iptables and ipset.

As rendered by npm/pkg/dataplane (azure-container-networking cbd7560cfc18): one
linear chain for all policies, the newest on top; a selector is the set of a label
and that of its namespace; marks 0x200 allowed, 0x400 and 0x800 to be dropped.
"""

NAMESPACE = "-m set --match-set azure-npm-ns %s"


def sets(w):
    family = "inet" if w.bits == 32 else "inet6"
    make = "create %s hash:net family " + family + " maxelem 1048576"
    out = [make % "azure-npm-ns"]
    out += ["add azure-npm-ns " + w.text(pod) for pod in w.local + w.pods]
    for app in range(w.apps):
        out.append(make % ("azure-npm-t%d" % app))
        out += ["add azure-npm-t%d %s" % (app, w.text(pod))
                for pod in w.app_pods(app)]
    used = {p.peer_class for p in w.policies if not p.blocks}
    for c in sorted(used):
        out.append(make % ("azure-npm-c%d" % c))
        out += ["add azure-npm-c%d %s" % (c, w.text(pod))
                for pod in w.members[c]]
    for p in w.policies:
        if p.blocks:
            out.append(make % ("azure-npm-b%d" % p.number))
            out += ["add azure-npm-b%d %s" % (p.number, w.block_text(b))
                    for b in p.blocks]
    return "\n".join(out) + "\n"


def peer(p):
    if p.blocks:
        return "-m set --match-set azure-npm-b%d src" % p.number
    return ("-m set --match-set azure-npm-c%d src " % p.peer_class +
            NAMESPACE % "src")


def rules(w):
    names = ["AZURE-NPM", "AZURE-NPM-INGRESS", "AZURE-NPM-INGRESS-ALLOW-MARK",
             "AZURE-NPM-EGRESS", "AZURE-NPM-ACCEPT"]
    names += ["AZURE-NPM-INGRESS-%d" % p.number for p in w.policies]
    out = ["*filter"] + [":%s - -" % name for name in names]
    note = " -m comment --comment c"
    out += ["-A FORWARD -j AZURE-NPM -m conntrack --ctstate NEW",
            "-A AZURE-NPM -j AZURE-NPM-INGRESS",
            "-A AZURE-NPM -j AZURE-NPM-EGRESS",
            "-A AZURE-NPM -j AZURE-NPM-ACCEPT"]
    for p in w.policies:
        chain = "-A AZURE-NPM-INGRESS-%d" % p.number
        out += ["%s -j AZURE-NPM-INGRESS-ALLOW-MARK -p TCP --dport %d %s%s" %
                (chain, p.port, peer(p), note),
                chain + " -j MARK --set-mark 0x400/0x400" + note]
    for p in reversed(w.policies):
        out.append("-A AZURE-NPM-INGRESS -j AZURE-NPM-INGRESS-%d "
                   "-m set --match-set azure-npm-t%d dst %s%s" %
                   (p.number, p.app, NAMESPACE % "dst", note))
    out += ["-A AZURE-NPM-INGRESS -j DROP -m mark --mark 0x400/0x400" + note,
            "-A AZURE-NPM-INGRESS-ALLOW-MARK -j MARK --set-mark 0x200/0x200" +
            note,
            "-A AZURE-NPM-INGRESS-ALLOW-MARK -j AZURE-NPM-EGRESS",
            "-A AZURE-NPM-EGRESS -j DROP -m mark --mark 0x800/0x800" + note,
            "-A AZURE-NPM-EGRESS -j AZURE-NPM-ACCEPT "
            "-m mark --mark 0x200/0x200" + note,
            "-A AZURE-NPM-ACCEPT -j ACCEPT",
            "COMMIT"]
    return "\n".join(out) + "\n"
