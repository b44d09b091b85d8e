# SPDX-License-Identifier: Apache-2.0
"""The workloads: pods, policies and packets, independent of who enforces them.

A Workload is a cluster as one node sees it. Peers are `pods` remote pods, 100 on
a node, spread over `classes` label sets. The node has 250 local pods; the first
`subjects` of them are divided into `apps` groups with the same labels. Policy P
selects one app and allows ingress on one TCP port from one class of pods, or
from `cidrs` blocks outside the cluster. Policies of one app have ports of their
own. A local pod that no policy selects is open.

A trace is packets to the node with the verdict each must get: three of four are
allowed by some policy, the others come from anywhere in the cluster or outside
to a port in use. Everything is a function of the workload's name.
"""
import bisect
import dataclasses
import itertools
import random
import socket
import struct

LOCAL = 250
PER_NODE = 100
FIRST_PORT = 8000
SHARE_ALLOWED = 0.75
SHARE_OUTSIDE = 0.05
ZIPF = 1.1
OUTSIDE = 128 << 24, 200 << 24     # numbers; see Workload.embed()
OUTSIDE6 = 0x20010db8
LENGTHS = ((16, 2), (20, 8), (24, 60), (28, 20), (32, 10))  # of blocks, percent

# Bits of kb_flow.expect.
POLICY, CLUSTER, BLOCKS = 0, 1, 2

FLOW = struct.Struct("<16s16s2s2sBBH")


@dataclasses.dataclass
class Policy:
    """One NetworkPolicy: app may be reached on port from class or blocks."""
    number: int
    app: int
    port: int
    peer_class: int = None
    blocks: tuple = ()          # disjoint; see Workload.embed()


class Workload:
    """A cluster as one node sees it, in one address family."""

    def __init__(self, name, family, pods, classes, policies, apps=250,
                 subjects=LOCAL, cidrs=0, target="subjects"):
        self.name, self.family = name, family
        self.apps, self.subjects = min(apps, policies), subjects
        self.classes = classes
        self.target = target
        self.rng = random.Random(name)
        self.local = [self.address(0, 2 + i) for i in range(LOCAL)]
        self.pods = [self.address(1 + i // PER_NODE, 2 + i % PER_NODE)
                     for i in range(pods)]
        order = list(range(pods))
        self.rng.shuffle(order)
        self.members = [[] for _ in range(classes)]
        for i, pod in enumerate(order):
            self.members[i % classes].append(self.pods[pod])
        self.taken = set()
        self.policies = [self.policy(i, cidrs) for i in range(policies)]

    @property
    def bits(self):
        return 32 if self.family == socket.AF_INET else 128

    def address(self, node, host):
        """The packed address of a pod: a /24 or /64 for each node."""
        if self.family == socket.AF_INET:
            return struct.pack(">BHB", 10, node, host)
        return struct.pack(">HHHHHHHH", 0xfd00, 0x10, node, 0, 0, 0, 0, host)

    def text(self, packed):
        return socket.inet_ntop(self.family, packed)

    def embed(self, number):
        """The address a number of 32 bits stands for outside the cluster.

        Blocks are made of such numbers, as (number, length); in IPv6 they come
        after a /32, so that blocks are /48 to /64.
        """
        if self.family == socket.AF_INET6:
            return struct.pack(">IIQ", OUTSIDE6, number, 0)
        return struct.pack(">I", number)

    def extract(self, packed):
        """The number an address stands for, None if it is in the cluster."""
        if self.family == socket.AF_INET6:
            top, number = struct.unpack_from(">II", packed)
            return number if top == OUTSIDE6 else None
        return struct.unpack(">I", packed)[0]

    def prefix_length(self, block):
        return block[1] + 32 * (self.family == socket.AF_INET6)

    def block_text(self, block):
        return "%s/%d" % (self.text(self.embed(block[0])),
                          self.prefix_length(block))

    def block(self):
        """A new block outside the cluster."""
        kinds, weights = zip(*LENGTHS)
        while True:
            length = self.rng.choices(kinds, weights)[0]
            high = self.rng.randrange(*OUTSIDE) >> (32 - length)
            if (high, length) not in self.taken:
                break
        self.taken.add((high, length))
        return high << (32 - length), length

    def blocks(self, count):
        """Blocks that do not overlap; those of two policies may."""
        result = []
        taken = set()
        while len(result) < count:
            low, length = self.block()
            outer = {(low >> (32 - n), n) for n, _ in LENGTHS if n <= length}
            if outer & taken or any(
                    n > length and high >> (n - length) == low >> (32 - length)
                    for high, n in taken):
                continue
            taken.add((low >> (32 - length), length))
            result.append((low, length))
        return tuple(sorted(result))

    def policy(self, number, cidrs):
        policy = Policy(number, number % self.apps,
                        FIRST_PORT + number // self.apps)
        if cidrs:
            policy.blocks = self.blocks(cidrs)
        else:
            policy.peer_class = self.rng.randrange(self.classes)
        return policy

    def app_of(self, pod):
        """The app of local pod number pod, None if no policy selects it."""
        return pod % self.apps if self.apps and pod < self.subjects else None

    def app_pods(self, app):
        return [self.local[i] for i in range(LOCAL) if self.app_of(i) == app]

    def app_policies(self, app):
        return self.policies[app::self.apps] if app is not None else []

    def targets(self):
        """Numbers of the local pods that packets go to."""
        if self.target == "open":
            return range(self.subjects, LOCAL)
        return range(self.subjects)


class Oracle:
    """The verdicts of a workload, by sets that no contender uses."""

    def __init__(self, workload):
        self.workload = workload
        self.class_of = {pod: c for c, pods in enumerate(workload.members)
                         for pod in pods}
        self.by_class = {(p.app, p.port, p.peer_class)
                         for p in workload.policies if not p.blocks}
        self.by_block = {(p.app, p.port, base >> (32 - length), length)
                         for p in workload.policies
                         for base, length in p.blocks}
        self.any_block = {(base >> (32 - length), length)
                          for p in workload.policies
                          for base, length in p.blocks}

    def expect(self, src, pod, port):
        app = self.workload.app_of(pod)
        known = src in self.class_of
        number = self.workload.extract(src)
        prefixes = ([(number >> (32 - n), n) for n, _ in LENGTHS]
                    if number is not None else [])
        allowed = app is None or (
            known and (app, port, self.class_of[src]) in self.by_class) or (
            not known and any((app, port, *p) in self.by_block
                              for p in prefixes))
        return (allowed << POLICY | known << CLUSTER |
                any(p in self.any_block for p in prefixes) << BLOCKS)


class Tracer:
    """Makes traces of one workload."""

    def __init__(self, workload):
        self.workload = workload
        self.oracle = Oracle(workload)
        self.rng = random.Random(workload.name + " trace")

    def inside(self, block):
        base, length = block
        host = self.rng.getrandbits(32 - length) if length < 32 else 0
        return self.workload.embed(base | host)

    def outside(self):
        return self.workload.embed(self.rng.randrange(*OUTSIDE))

    def allowed(self):
        """(source, local pod, port) that some policy allows."""
        w = self.workload
        pod = self.rng.choice(w.targets())
        policy = self.rng.choice(w.app_policies(w.app_of(pod)))
        if policy.blocks:
            return self.inside(self.rng.choice(policy.blocks)), pod, policy.port
        return self.rng.choice(w.members[policy.peer_class]), pod, policy.port

    def anything(self):
        w = self.workload
        pod = self.rng.choice(w.targets())
        policies = w.app_policies(w.app_of(pod)) or w.policies
        blocks = policies[0].blocks
        src = (self.outside() if blocks or self.rng.random() < SHARE_OUTSIDE
               else self.rng.choice(w.pods))
        return src, pod, self.rng.choice(policies).port

    def flow(self):
        closed = self.workload.target == "subjects"
        if closed and self.rng.random() < SHARE_ALLOWED:
            return self.allowed()
        return self.anything()

    def pack(self, flow):
        src, pod, port = flow
        return FLOW.pack(src, self.workload.local[pod],
                         self.rng.randrange(32768, 61000).to_bytes(2, "big"),
                         port.to_bytes(2, "big"), socket.IPPROTO_TCP,
                         self.oracle.expect(src, pod, port), pod)

    def uniform(self, count):
        return b"".join(self.pack(self.flow()) for _ in range(count))

    def zipf(self, count):
        """Some flows are much more frequent than others."""
        flows = [self.pack(self.flow()) for _ in range(min(count, 1 << 17))]
        weights = list(itertools.accumulate(
            1 / rank ** ZIPF for rank in range(1, len(flows) + 1)))
        return b"".join(flows[min(bisect.bisect(weights, self.rng.random() *
                                                weights[-1]), len(flows) - 1)]
                        for _ in range(count))

    def established(self, count, flows):
        """Packets of so many connections, all of them allowed."""
        closed = self.workload.target == "subjects"
        distinct = [self.pack(self.allowed() if closed else self.anything())
                    for _ in range(flows)]
        return b"".join(self.rng.choice(distinct) for _ in range(count))
