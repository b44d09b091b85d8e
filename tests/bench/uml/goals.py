# SPDX-License-Identifier: Apache-2.0
"""The goals: what must be how much less than what.

Where a goal names a kind of peer of which there are several, the ratio is that
to the fastest of them. W2n stands for W2 against chains: NPM's chain grows with
the policies of the node, and eight of them are its best case that still is W2.
"""

# name, (workload, cache), peers, goal
RATIOS = (
    ("w1_vs_nft_vmap", ("W1", "uniform"), ("nft-vmap",), 0.8),
    ("w2_vs_nft_vmap", ("W2", "uniform"), ("nft-vmap",), 0.2),
    ("w2_vs_npm_chain", ("W2n", "uniform"), ("npm",), 0.03),
    ("w2_vs_ipset", ("W2", "uniform"), ("ipset-pairs", "ipset-ip"), 0.25),
    ("w2_vs_cilium_shape", ("W2", "uniform"), ("cilium",), 0.06),
    ("w3_vs_nft_interval", ("W3", "uniform"),
     ("nft-intervals", "nft-one-interval"), 0.08),
    ("w3_vs_ipset_net", ("W3", "uniform"), ("ipset-net",), 0.15),
    ("w4_vs_npm_chain", ("W4", "uniform"), ("npm", "kube-router"), 0.01),
)
# name, larger, smaller, goal: knp against itself
FLAT = (
    ("flat_pods", ("W2", "hot"), ("pods-10", "hot"), 1.5),
    ("flat_policies", ("policies-10k", "hot"), ("policies-10", "hot"), 1.1),
)
# name, figures of costs.py and churn.py: the first divided by the second, goal
COSTS = (
    ("commit_one", "commit_knp_us", "commit_nft_us", 0.5),
    ("load_100k_nft", "load_knp_ms", "load_nft_ms", 0.3),
    ("load_100k_ipset", "load_knp_ms", "load_ipset_ms", 0.5),
    ("w6_p999", "w6_busy_p999_ns", "w6_idle_p999_ns", 1.2),
    ("mem_mib_1k", "mem_mib_1k", None, 2),
    ("mem_mib_6k", "mem_mib_6k", None, 6),
    ("mem_mib_28k", "mem_mib_28k", None, 16),
    ("mem_mib_w3", "mem_mib_w3", None, 16),
)
NO_POLICY = ("no_policy_ns", ("open", "hot"), 10)


def key(where, family):
    return where[0], family, where[1]


def ratio_goals(results, family):
    for name, where, peers, goal in RATIOS:
        found = [results.ratio(key(where, family), "knp", peer)
                 for peer in peers]
        found = [ratio for ratio in found if ratio]
        if found:
            worst = max(found)
            yield name, worst[0], goal, worst[1:]
    for name, large, small, goal in FLAT:
        mine = [results.ns(key(where, family), "knp")
                for where in (large, small)]
        if None not in mine:
            yield name, mine[0] / mine[1], goal, None


def no_policy(results, family):
    name, where, goal = NO_POLICY
    mine = results.ns(key(where, family), "knp")
    if mine is not None:
        yield name, mine - results.ns(key(where, family), "empty"), goal, None


def cost_goals(figures):
    for name, mine, peer, goal in COSTS:
        if mine in figures:
            yield name, figures[mine] / (figures[peer] if peer else 1), goal


def judge(results, figures):
    """[{"name", "ratio", "goal", ...}]; IPv6 beside IPv4.

    results: of the headline build
    figures: of costs.py and churn.py, by name
    """
    out = []
    for family in ("ipv4", "ipv6"):
        for name, ratio, goal, interval in (*ratio_goals(results, family),
                                            *no_policy(results, family)):
            entry = {"name": name + ("_ipv6" if family == "ipv6" else ""),
                     "ratio": round(ratio, 4), "goal": goal}
            if interval:
                entry["interval"] = [round(v, 4) for v in interval]
            out.append(entry)
    out += [{"name": name, "ratio": round(ratio, 4), "goal": goal}
            for name, ratio, goal in cost_goals(figures)]
    return out


def show(goals):
    print("\n%-26s %10s %8s" % ("goal", "measured", "at most"))
    for entry in goals:
        print("%-26s %10.4f %8g %s" % (
            entry["name"], entry["ratio"], entry["goal"],
            "met" if entry["ratio"] <= entry["goal"] else "NOT MET"))
