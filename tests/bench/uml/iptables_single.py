# SPDX-License-Identifier: Apache-2.0
"""The least that iptables with ipset can do for a Workload: one match.

pairs() is a whole enforcer: one set of (peer, port, pod) for all policies.
peers() and blocks() only say whether the source is known, so their verdicts are
another question; they stand for the cost of a match.
"""


def family(w):
    return "inet" if w.bits == 32 else "inet6"


def restore(name, kind, w, members, counters=""):
    out = ["create %s %s family %s maxelem 1048576%s" %
           (name, kind, family(w), counters)]
    out += ["add %s %s" % (name, m) for m in members]
    return "\n".join(out) + "\n"


def accept_or(match, rest):
    return "\n".join(["*filter", "-A FORWARD %s -j ACCEPT" % match, rest,
                      "COMMIT"]) + "\n"


def pairs(w):
    members = ["%s,tcp:%d,%s" % (w.text(peer), p.port, w.text(pod))
               for p in w.policies for pod in w.app_pods(p.app)
               for peer in w.members[p.peer_class]]
    sets = (restore("allow", "hash:ip,port,ip", w, sorted(set(members))) +
            restore("local", "hash:ip", w,
                    [w.text(pod) for pod in w.local[:w.subjects]]))
    return sets, accept_or(
        "-m set --match-set allow src,dst,dst",
        "-A FORWARD -m set --match-set local dst -j DROP")


def peers(w):
    return (restore("pods", "hash:ip", w, [w.text(pod) for pod in w.pods]),
            accept_or("-m set --match-set pods src", "-A FORWARD -j DROP"))


def blocks(w):
    every = sorted({b for p in w.policies for b in p.blocks})
    return (restore("blocks", "hash:net", w, [w.block_text(b) for b in every]),
            accept_or("-m set --match-set blocks src", "-A FORWARD -j DROP"))
