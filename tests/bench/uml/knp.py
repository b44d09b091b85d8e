# SPDX-License-Identifier: Apache-2.0
"""A Workload as knp.ko's records (uapi/linux/knp.h), and their transactions.

What knpd's compiler makes of it: a class for each label set, or for each set of
policies whose blocks cover a prefix; a policy set for each app; rows and port
sets where a policy allows something.
"""
import collections
import socket
import struct

import netlink
from model import LENGTHS

(RULE, PORTSET, CLASS, SET, ROW, PEER, CIDR, ENDPOINT) = range(1, 9)
ATTACH, BEGIN, PUT, COMMIT = 2, 4, 5, 7
A_GENERATION, A_FAMILIES, A_TABLE, A_RECORDS, A_COUNT = 5, 7, 14, 15, 16
A_MAX = 60000                   # bytes of records in a message
INGRESS = 2

TAGGED = struct.Struct("<I16s")
PORTSETS = struct.Struct("<II16s")
PORT = struct.Struct("<IHHB3x")
SETS = struct.Struct("<IIB3x16s")
ROWS = struct.Struct("<III")
PEERS = struct.Struct("<16sB3xI")
CIDRS = struct.Struct("<16sBB2xI")
ENDPOINTS = struct.Struct("<16sB3xII")


def tag(kind, number):
    return struct.pack("<QQ", kind, number)


class Tables:
    """Records by table, in the order in which they are put."""

    def __init__(self, w):
        self.w = w
        self.records = collections.defaultdict(list)
        self.portsets = {}
        self.fill()

    def add(self, table, record):
        self.records[table].append(record)

    def portset(self, policies):
        """The id of the set that allows the ports of these policies."""
        key = tuple(sorted(p.number for p in policies))
        if key not in self.portsets:
            number = self.portsets[key] = len(self.portsets) + 1
            ports = sorted((p.port, p.number + 1) for p in policies)
            self.add(PORTSET, PORTSETS.pack(number, len(ports),
                                            tag(PORTSET, number)) +
                     b"".join(PORT.pack(rule, port, port, socket.IPPROTO_TCP)
                              for port, rule in ports))
        return self.portsets[key]

    def row(self, app, number, policies):
        self.add(ROW, ROWS.pack(app + 1, number, self.portset(policies)))

    def fill(self):
        w = self.w
        for p in w.policies:
            self.add(RULE, TAGGED.pack(p.number + 1, tag(RULE, p.number)))
        for app in range(w.apps):
            self.add(SET, SETS.pack(app + 1, 0, INGRESS, tag(SET, app)))
        for c in range(w.classes):
            self.add(CLASS, TAGGED.pack(c + 1, tag(CLASS, c)))
            for pod in w.members[c]:
                self.add(PEER, PEERS.pack(pod, w.family, c + 1))
        self.class_rows()
        self.blocks()
        for i, pod in enumerate(w.local):
            app = w.app_of(i)
            self.add(ENDPOINT, ENDPOINTS.pack(pod, w.family, 0,
                                              0 if app is None else app + 1))

    def class_rows(self):
        rows = collections.defaultdict(list)
        for p in self.w.policies:
            if not p.blocks:
                rows[p.app, p.peer_class].append(p)
        for (app, c), policies in rows.items():
            self.row(app, c + 1, policies)

    def blocks(self):
        """Longest prefix wins, so a block's class knows those around it."""
        w = self.w
        holders = collections.defaultdict(set)
        for p in w.policies:
            for base, length in p.blocks:
                holders[base >> (32 - length), length].add(p.number)
        classes = {}
        for (high, length), numbers in sorted(holders.items()):
            for shorter, _ in LENGTHS:
                if shorter < length:
                    numbers = numbers | holders.get(
                        (high >> (length - shorter), shorter), set())
            key = tuple(sorted(numbers))
            if key not in classes:
                classes[key] = w.classes + len(classes) + 1
                self.add(CLASS, TAGGED.pack(classes[key],
                                            tag(CLASS, classes[key])))
            block = high << (32 - length), length
            self.add(CIDR, CIDRS.pack(w.embed(block[0]), w.family,
                                      w.prefix_length(block), classes[key]))
        for key, number in classes.items():
            by_app = collections.defaultdict(list)
            for p in key:
                by_app[w.policies[p].app].append(w.policies[p])
            for app, policies in by_app.items():
                self.row(app, number, policies)


class Channel:
    """knp.ko's tables of the network namespace in which it was made."""

    def __init__(self):
        self.number = netlink.family("knp")
        self.socket = netlink.Socket(netlink.GENERIC)
        self.generation = 0

    def message(self, command, *attrs):
        return netlink.message(self.number, netlink.REQUEST | netlink.ACK,
                               struct.pack("<BBxx", command, 1) +
                               b"".join(attrs))

    def attach(self):
        self.socket.send([self.message(ATTACH, netlink.attr(
            A_FAMILIES, struct.pack("<I", 3)))], 1)

    def transaction(self, records):
        """The messages that put {table: [record]} as one generation."""
        out = [self.message(BEGIN, netlink.attr(
            A_GENERATION, struct.pack("<Q", self.generation)))]
        count = 0
        for table in sorted(records):
            for part in parts(records[table]):
                out.append(self.message(
                    PUT, netlink.attr(A_TABLE, struct.pack("<I", table)),
                    netlink.attr(A_RECORDS, part)))
            count += len(records[table])
        commit = self.message(COMMIT, netlink.attr(
            A_COUNT, struct.pack("<Q", count)))
        # Its answer is a message of its own: it need not be confirmed, too.
        commit[6] &= ~netlink.ACK & 0xff
        out.append(commit)
        self.generation += 1
        return out

    def commit(self, records):
        """Seconds from the first message to the last acknowledgement."""
        messages = self.transaction(records)
        return self.socket.send(messages, "each")


def parts(records):
    part = bytearray()
    for record in records:
        if len(part) + len(record) > A_MAX:
            yield bytes(part)
            part.clear()
        part += record
    if part:
        yield bytes(part)
