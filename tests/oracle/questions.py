# SPDX-License-Identifier: Apache-2.0
"""What to ask about a cluster: every address, port and protocol at an edge.

An edge is where an answer may change: the addresses of pods, the first and the
last address of a block and their neighbours outside, every port number that
an object names and its neighbours.
"""
import ipaddress

import oracle

PROTOCOLS = ["TCP", "UDP", "SCTP"]
NOBODY = ["192.0.2.1", "2001:db8::1"]


class Questions:
    """Pairs of addresses that are not both @others, times ports."""

    def __init__(self, pods, others, ports):
        self.pods, self.others, self.ports = pods, others, ports

    def pairs(self):
        """In the order in which the follower answers."""
        everybody = self.pods + self.others
        for place, source in enumerate(everybody):
            known = place < len(self.pods)
            for destination in everybody if known else self.pods:
                if (":" in source) == (":" in destination):
                    yield source, destination

    def flows(self):
        for source, destination in self.pairs():
            for number, protocol in self.ports:
                yield source, destination, number, protocol

    def line(self):
        return "ask %s %s %s" % (
            ",".join(self.pods) or "-", ",".join(self.others) or "-",
            ",".join("%d/%s" % port for port in self.ports))


def neighbours(cidr):
    block = ipaddress.ip_network(cidr, strict=False)
    first, last = int(block[0]), int(block[-1])
    kind = type(block[0])
    for number in (first - 1, first, last, last + 1):
        if 0 <= number < 1 << block.max_prefixlen:
            yield str(kind(number))


def blocks(value):
    """All CIDRs in an object."""
    if isinstance(value, dict):
        if "cidr" in value:
            yield value["cidr"]
            yield from value.get("except") or []
        for inner in value.values():
            yield from blocks(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from blocks(inner)


def numbers(value):
    """All port numbers in an object."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if (key in ("port", "endPort", "containerPort") and
                    isinstance(inner, int)):
                yield inner
            else:
                yield from numbers(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from numbers(inner)


def edges(objects, more=()):
    """The questions about some objects, and about the addresses @more."""
    pods, others, ports = set(), set(NOBODY), set()
    for obj in objects:
        for number in numbers(obj.get("spec")):
            ports |= {number - 1, number, number + 1}
        if obj["kind"] == "Pod":
            status = obj.get("status") or {}
            pods |= {entry["ip"] for entry in status.get("podIPs") or []}
            pods |= {status["podIP"]} if status.get("podIP") else set()
        for cidr in blocks(obj.get("spec")):
            others.update(neighbours(cidr))
    ports = [number for number in ports if 0 < number < 65536] or [80]
    return Questions(sorted(pods | set(more)), sorted(others - pods),
                     [(number, protocol) for number in sorted(ports)
                      for protocol in PROTOCOLS])


def sample(random, questions, most):
    """At most about @most of the questions: fewer ports, fewer addresses."""
    pods, others = list(questions.pods), list(questions.others)
    ports = list(questions.ports)
    while (len(pods) * (len(pods) + 2 * len(others)) * len(ports) > most and
           len(pods) > 2):
        for some in (pods, others, others, ports):
            if len(some) > 2:
                some.pop(random.randrange(len(some)))
    return Questions(pods, others, ports)


def one(flow):
    """The question that a flow is."""
    source, destination, number, protocol = flow
    return Questions([source, destination], [], [(number, protocol)])


def answers(objects, questions, node):
    """What the oracle says, as the follower does: a character each."""
    said = []
    for source, destination in questions.pairs():
        sides = oracle.sides_between(
            objects, oracle.parse_address(source),
            oracle.parse_address(destination), node)
        for number, protocol in questions.ports:
            allowed = oracle.sides_allow(sides, protocol, number)
            said.append("1" if allowed else "0")
    return "".join(said)
