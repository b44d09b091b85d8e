# SPDX-License-Identifier: Apache-2.0
"""What is measured: workloads, who runs them, and for how long."""
import dataclasses

ALL = ("knp", "nft-vmap", "nft-kube-router", "nft-calico", "ipset-pairs",
       "ipset-ip", "npm", "kube-router", "calico", "cilium")
CHAINS = ("knp", "npm", "kube-router", "calico")
SCALE = ("knp", "nft-vmap", "ipset-pairs", "npm", "kube-router", "cilium")
ESTABLISHED = ("knp", "nft-ct-vmap", "nft-kube-router", "npm", "kube-router",
               "calico", "cilium")

EVERY = ("hot", "uniform", "zipf", "cold-l1", "cold-l2")
MAIN = ("hot", "uniform")


@dataclasses.dataclass(frozen=True)
class Case:
    """A workload's size, its contenders and cache modes."""
    name: str
    size: dict
    contenders: tuple
    modes: tuple = MAIN
    established: int = 0        # connections of which packets are, 0: new
    families: tuple = ("ipv4",)


W2 = {"pods": 100000, "classes": 1000, "policies": 1000}
BOTH = ("ipv4", "ipv6")

CASES = (
    Case("W1", {"pods": 1000, "classes": 200, "policies": 100, "apps": 50},
         ALL, EVERY, families=BOTH),
    Case("W2", W2, ALL, EVERY, families=BOTH),
    # The same cluster seen by a node with eight policies in all.
    Case("W2n", {**W2, "policies": 8, "apps": 2}, CHAINS, MAIN),
    Case("W3", {"pods": 1000, "classes": 200, "policies": 1000, "cidrs": 100},
         ("knp", "nft-intervals", "nft-one-interval", "nft-kube-router",
          "ipset-net", "kube-router", "npm"), EVERY, families=BOTH),
    Case("W4", {"pods": 1000, "classes": 200, "policies": 50, "apps": 1,
                "subjects": 1}, ("knp", "nft-vmap", "nft-kube-router",
                                 "nft-calico", "npm", "kube-router", "calico"),
         MAIN, families=BOTH),
    Case("W5", W2, ESTABLISHED, EVERY, established=50000, families=BOTH),
    Case("open", {"pods": 1000, "classes": 200, "policies": 100, "apps": 50,
                  "subjects": 100, "target": "open"},
         ("knp", "npm", "cilium"), MAIN, families=BOTH),
    Case("pods-10", {**W2, "pods": 10, "classes": 5}, SCALE),
    Case("pods-1k", {**W2, "pods": 1000, "classes": 200}, SCALE),
    Case("pods-10k", {**W2, "pods": 10000, "classes": 500}, SCALE),
    Case("policies-10", {"pods": 1000, "classes": 200, "policies": 10,
                         "apps": 10}, SCALE),
    Case("policies-100", {"pods": 1000, "classes": 200, "policies": 100,
                          "apps": 100}, SCALE),
    Case("policies-10k", {"pods": 1000, "classes": 200, "policies": 10000},
         ("knp", "nft-vmap", "ipset-pairs", "cilium")),
)


@dataclasses.dataclass(frozen=True)
class Effort:
    """How much time is spent."""
    trace: int                  # packets
    rounds: int
    warm_ms: float
    round_ms: float
    cold: tuple                 # samples of cold-l1, cold-l2
    families: tuple
    cases: tuple                # names, empty: all
    most: dict = dataclasses.field(default_factory=dict)    # of sizes


FULL = Effort(1 << 18, 11, 10, 30, (2000, 400), BOTH, ())
PLAIN = Effort(1 << 18, 5, 5, 20, (1000, 200), ("ipv4",),
               ("W1", "W2", "W2n", "W3", "W4", "W5", "open"))
QUICK = Effort(1 << 16, 5, 5, 20, (1000, 200), ("ipv4",),
               ("W1", "W2", "W2n", "W3", "W4", "open"))
# Every contender and kind of policy, in small clusters.
CHECK = Effort(1 << 12, 0, 0, 0, (0, 0), BOTH,
               ("W1", "W2n", "W3", "W4", "W5", "open"),
               {"pods": 1000, "classes": 200, "policies": 100, "apps": 50})
EFFORTS = {"full": FULL, "plain": PLAIN, "quick": QUICK, "check": CHECK}
