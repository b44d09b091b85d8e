# SPDX-License-Identifier: Apache-2.0
"""nft rule sets for a Workload.

verdict_map() is the best case: one look-up in a hash of (source, destination,
port). The others are shapes of products, or of what a product could do with
interval sets.
"""
import iptables_calico


def words(w):
    """(nft's family of tables, its word for addresses, its type)"""
    return (("ip", "ip", "ipv4_addr") if w.bits == 32 else
            ("ip6", "ip6", "ipv6_addr"))


def elements(items, per=4096):
    items = list(items)
    for i in range(0, len(items), per):
        yield ", ".join(items[i:i + per])


def fill(table, name, items):
    return ["add element %s %s { %s }" % (table, name, part)
            for part in elements(items)]


def base(w):
    family = words(w)[0]
    return (family + " b", ["add table %s b" % family,
            "add chain %s b f { type filter hook forward priority 0; }" %
            family])


def local_set(w, table):
    kind = words(w)[2]
    return (["add set %s local { type %s; }" % (table, kind)] +
            fill(table, "local", [w.text(p) for p in w.local[:w.subjects]]))


def verdict_map(w, established=False):
    ip, kind = words(w)[1:]
    table, out = base(w)
    out += local_set(w, table)
    out.append("add map %s v { type %s . %s . inet_service : verdict; "
               "size 1048576; }" % (table, kind, kind))
    keys = {(peer, pod, p.port) for p in w.policies
            for pod in w.app_pods(p.app) for peer in w.members[p.peer_class]}
    out += fill(table, "v", ["%s . %s . %d : accept" %
                             (w.text(peer), w.text(pod), port)
                             for peer, pod, port in sorted(keys)])
    if established:
        out.append("add rule %s f ct state established,related accept" % table)
    out += ["add rule %s f %s saddr . %s daddr . tcp dport vmap @v" %
            (table, ip, ip),
            "add rule %s f %s daddr @local drop" % (table, ip)]
    return "\n".join(out) + "\n"


def intervals(w):
    """A map from pod to chain; there, an interval set for each policy."""
    ip, kind = words(w)[1:]
    table, out = base(w)
    out.append("add map %s to { type %s : verdict; }" % (table, kind))
    for p in w.policies:
        out.append("add set %s s%d { type %s; flags interval; }" %
                   (table, p.number, kind))
        out += fill(table, "s%d" % p.number, [w.block_text(b) for b in p.blocks])
    for app in range(w.apps):
        out.append("add chain %s a%d" % (table, app))
        out += ["add rule %s a%d %s saddr @s%d tcp dport %d accept" %
                (table, app, ip, p.number, p.port)
                for p in w.app_policies(app)]
        out.append("add rule %s a%d drop" % (table, app))
    out += fill(table, "to", ["%s : jump a%d" % (w.text(pod), app)
                              for app in range(w.apps)
                              for pod in w.app_pods(app)])
    out.append("add rule %s f %s daddr vmap @to" % (table, ip))
    return "\n".join(out) + "\n"


def one_interval_set(w):
    """Only whether the source is in some block."""
    ip, kind = words(w)[1:]
    table, out = base(w)
    out.append("add set %s every { type %s; flags interval; auto-merge; }" %
               (table, kind))
    # nft merges only what one transaction adds in one list.
    every = sorted({b for p in w.policies for b in p.blocks})
    out.append("add element %s every { %s }" %
               (table, ", ".join(w.block_text(b) for b in every)))
    out += ["add rule %s f %s saddr @every accept" % (table, ip),
            "add rule %s f drop" % table]
    return "\n".join(out) + "\n"


def kube_router(w):
    """kube-router's nft mode: the chains of iptables_kube_router in nft."""
    ip, kind = words(w)[1:]
    table, out = base(w)
    flags = ""
    for p in w.policies:
        flags = " flags interval;" if p.blocks else ""
        out += ["add set %s s%d { type %s;%s }" % (table, p.number, kind, flags),
                "add set %s d%d { type %s; }" % (table, p.number, kind)]
        out += fill(table, "s%d" % p.number,
                    [w.block_text(b) for b in p.blocks] or
                    [w.text(pod) for pod in w.members[p.peer_class]])
        out += fill(table, "d%d" % p.number,
                    [w.text(pod) for pod in w.app_pods(p.app)])
    out += ["add chain %s common" % table, "add chain %s dflt" % table,
            "add rule %s common ct state invalid counter drop" % table,
            "add rule %s common ct state related,established counter accept" %
            table,
            "add rule %s dflt counter meta mark set meta mark or 0x10000" % table]
    for p in w.policies:
        out += ["add chain %s p%d" % (table, p.number),
                "add rule %s p%d %s saddr @s%d %s daddr @d%d tcp dport %d "
                "counter meta mark set meta mark or 0x10000 return" %
                (table, p.number, ip, p.number, ip, p.number, p.port)]
    for pod in range(w.subjects):
        out += kube_router_pod(w, table, pod)
    out.append("add rule %s f meta mark and 0x20000 == 0x20000 counter accept" %
               table)
    return "\n".join(out) + "\n"


def kube_router_pod(w, table, pod):
    ip = words(w)[1]
    address = w.text(w.local[pod])
    chain = "add rule %s w%d " % (table, pod)
    out = ["add chain %s w%d" % (table, pod), chain + "counter jump common",
           chain + "fib saddr type local %s daddr %s counter accept" %
           (ip, address),
           chain + "%s saddr %s counter jump dflt" % (ip, address)]
    out += [chain + "%s daddr %s counter jump p%d" % (ip, address, p.number)
            for p in w.app_policies(w.app_of(pod))]
    return out + [
        chain + "meta mark and 0x10000 != 0x10000 counter drop",
        chain + "counter meta mark set meta mark and 0xfffeffff",
        chain + "counter meta mark set meta mark or 0x20000",
        "add rule %s f %s daddr %s counter jump w%d" % (table, ip, address, pod),
        "add rule %s f %s saddr %s counter jump w%d" % (table, ip, address, pod)]


def calico(w):
    """Calico's nft mode: a map from interface to chain."""
    ip, kind = words(w)[1:]
    table, out = base(w)
    accept = "meta mark & 0x10000 == 0x10000 counter "
    chains = ["forward", "to", "hep-from", "hep-to", "cidr", "pri"]
    out += ["add chain %s %s" % (table, chain) for chain in chains]
    out.append("add map %s wl { type ifname : verdict; }" % table)
    for c in sorted({p.peer_class for p in w.policies}):
        out.append("add set %s c%d { type %s; flags interval; }" %
                   (table, c, kind))
        out += fill(table, "c%d" % c, [w.text(pod) for pod in w.members[c]])
    out += ["add rule %s %s" % (table, rule) for rule in (
        "f counter jump forward", "f " + accept + "accept",
        "f counter meta mark set mark or 0x10000",
        "forward counter meta mark set mark & 0xffe5ffff",
        "forward meta mark & 0x10000 == 0 counter jump hep-from",
        'forward oifname "cali*" counter jump to',
        "forward counter jump hep-to", "forward counter jump cidr",
        "to oifname vmap @wl", "to counter drop",
        "pri counter meta mark set mark or 0x10000")]
    for p in w.policies:
        out += ["add chain %s p%d" % (table, p.number),
                "add rule %s p%d meta l4proto tcp %s saddr @c%d "
                "tcp dport { %d } counter meta mark set mark or 0x10000" %
                (table, p.number, ip, p.peer_class, p.port)]
    for pod in range(w.subjects):
        out += calico_pod(w, table, pod, accept)
    return "\n".join(out) + "\n"


def calico_pod(w, table, pod, accept):
    chain = "add rule %s w%d " % (table, pod)
    clear = "counter meta mark set mark & "
    out = ["add chain %s w%d" % (table, pod),
           chain + "ct state related,established counter accept",
           chain + "ct state invalid counter drop",
           chain + clear + "0xfffcffff", chain + clear + "0xfffdffff"]
    for p in w.app_policies(w.app_of(pod)):
        out += [chain + "meta mark & 0x20000 == 0 counter jump p%d" % p.number,
                chain + accept + "return"]
    return out + [chain + "meta mark & 0x20000 == 0 counter drop",
                  chain + "counter jump pri", chain + accept + "return",
                  chain + "counter drop",
                  "add element %s wl { %s : goto w%d }" %
                  (table, iptables_calico.device(pod), pod)]
