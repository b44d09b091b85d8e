# SPDX-License-Identifier: Apache-2.0
"""What the control plane of the kernel side costs: loads, commits, memory.

All messages are built before the clock starts; a time is from the first send to
the acknowledgement, of one datagram each. A load is the fastest of some turns, a
commit the median, less that of a message that asks for nothing: system calls of
User-Mode Linux cost tens of microseconds, which no node pays.
"""
import gc
import os
import random
import socket
import statistics
import time

import contenders
import knp
import model
import netlink
import peers_netlink
import plan

TURNS = 5
COMMITS = 400
SHARE = 0.04                    # of the classes that a policy set allows
SETTLE_S = 0.3

NOOP = 1                        # NLMSG_NOOP
TABLE, SET = "b", "s"


class Scattered(knp.Tables):
    """Selectors that match here and there: rows without a pattern."""

    def class_rows(self):
        w = self.w
        rng = random.Random(w.name)
        for app in range(w.apps):
            for c in rng.sample(range(w.classes), int(w.classes * SHARE)):
                self.row(app, c + 1, [rng.choice(w.app_policies(app))])


def joined(channel, records):
    """A transaction as one datagram, answered at its end."""
    messages = channel.transaction(records)
    for message in messages[:-1]:
        message[6] &= ~netlink.ACK & 0xff
    return b"".join(messages)


def nft_set():
    contenders.run(["nft", "-f", "-"], "add table ip %s\n"
                   "add set ip %s %s { type ipv4_addr; size 1048576; }\n" %
                   (TABLE, TABLE, SET))
    return netlink.Socket(netlink.NETFILTER)


def load_knp(records):
    channel = knp.Channel()
    channel.attach()
    return channel.socket.send([joined(channel, records)], 1)


def load_nft(datagram):
    return nft_set().send([datagram], 1)


def load_ipset(datagram):
    contenders.run(["ipset", "create", SET, "hash:ip", "maxelem", "1048576"])
    return netlink.Socket(netlink.NETFILTER).send([datagram], 1)


def in_namespace(what, *args):
    """Runs it in a namespace of its own, which goes away afterwards."""
    fd = contenders.new_namespace()
    try:
        return what(*args)
    finally:
        os.close(fd)


def loads(w, out):
    """Everything of W2 into knp, against its peers' addresses into a set."""
    records = knp.Tables(w).records
    jobs = ((load_knp, records),
            (load_nft, peers_netlink.nft_elements(w.pods, TABLE, SET)),
            (load_ipset, peers_netlink.ipset_adds(w.pods, SET)))
    times = {job: [] for job, _ in jobs}
    for _ in range(TURNS):
        for job, argument in jobs:
            times[job].append(in_namespace(job, argument))
    for job, values in times.items():
        out.line("figure", name=job.__name__ + "_ms",
                 value=1e3 * min(values),
                 all=[round(1e3 * v, 2) for v in values])


def knp_commits(w, records):
    """A socket, and commits that change the class of one pod each."""
    channel = knp.Channel()
    channel.attach()
    channel.commit(records)
    rng = random.Random(0)
    return channel.socket, [joined(channel, {knp.PEER: [knp.PEERS.pack(
        rng.choice(w.pods), w.family, rng.randrange(w.classes) + 1)]})
        for _ in range(COMMITS)]


def nft_commits(w):
    """A socket, and transactions that remove or add one element each."""
    sock = nft_set()
    sock.send([peers_netlink.nft_elements(w.pods, TABLE, SET)], 1)
    rng = random.Random(0)
    pods = rng.sample(w.pods, COMMITS // 2)
    return sock, [peers_netlink.nft_elements([pod], TABLE, SET, command)
                  for pod in pods for command in (peers_netlink.DELSETELEM,
                                                  peers_netlink.NEWSETELEM)]


def nothings():
    """A socket, and messages that are only acknowledged."""
    noop = netlink.message(NOOP, netlink.REQUEST | netlink.ACK, b"")
    return netlink.Socket(netlink.GENERIC), [noop] * COMMITS


def commits(w, out):
    """In turns, so that whatever else goes on happens to all three."""
    jobs = {"netlink_ack_us": nothings, "commit_nft_us": nft_commits,
            "commit_knp_us": knp_commits}
    arguments = {nft_commits: (w,), knp_commits: (w, knp.Tables(w).records)}
    namespaces, lanes = [], {}
    for name, job in jobs.items():
        namespaces.append(contenders.new_namespace())
        lanes[name] = job(*arguments.get(job, ()))
    times = {name: [] for name in lanes}
    for turn in range(COMMITS):
        for name, (sock, datagrams) in lanes.items():
            times[name].append(sock.send([datagrams[turn]], 1))
    for fd in namespaces:
        os.close(fd)
    base = 1e6 * statistics.median(times["netlink_ack_us"])
    out.line("figure", name="netlink_ack_us", value=base)
    for name in ("commit_nft_us", "commit_knp_us"):
        out.line("figure", name=name,
                 value=1e6 * statistics.median(times[name]) - base)


def free_kib():
    """Free memory, when what is about to be freed has been."""
    gc.collect()
    time.sleep(SETTLE_S)
    with open("/proc/sys/vm/drop_caches", "w", encoding="ascii") as f:
        f.write("3")
    with open("/proc/meminfo", encoding="ascii") as f:
        return next(int(line.split()[1]) for line in f
                    if line.startswith("MemFree:"))


def memory_of(records):
    """MiB that a committed table takes, its counters (few KiB) included."""
    channel = knp.Channel()
    channel.attach()
    messages = channel.transaction(records)
    before = free_kib()
    channel.socket.send(messages, "each")
    after = free_kib()
    return (before - after) / 1024


def memory(out):
    for name, classes in (("1k", 1000), ("6k", 6000), ("28k", 28000)):
        w = model.Workload("mem-" + name, socket.AF_INET,
                           **{**plan.W2, "classes": classes})
        out.line("figure", name="mem_mib_" + name, value=in_namespace(
            memory_of, Scattered(w).records))
    case = next(c for c in plan.CASES if c.name == "W3")
    w = model.Workload("W3", socket.AF_INET, **case.size)
    out.line("figure", name="mem_mib_w3",
             value=in_namespace(memory_of, knp.Tables(w).records))


def measure(out):
    w = model.Workload("W2", socket.AF_INET, **plan.W2)
    loads(w, out)
    commits(w, out)
    memory(out)
