# SPDX-License-Identifier: Apache-2.0
"""W6: verdicts of W2 on one processor while the other commits changes.

The sampler, a child process, times single packets on processor 0. Here, on
processor 1, 1,000 pods a second get another class, ten in a commit, and 10
policies a second other ports; or nothing, in every other turn.
"""
import array
import os
import random
import socket
import time

import contenders
import costs
import device
import knp
import model
import plan

PODS_A_SECOND, POLICIES_A_SECOND = 1000, 10
PODS_IN_COMMIT = 10
ENOUGH = 0.95                   # of the rate, or there is no result
TURNS = 4                       # idle and busy, each
SECONDS = 3
SAMPLES = 100000                # in one call
BUCKETS = 20000                 # ns


class Histogram:
    def __init__(self):
        self.counts = array.array("Q", bytes(8 * BUCKETS))

    def add(self, values):
        for v in values:
            self.counts[min(int(v), BUCKETS - 1)] += 1

    def percentile(self, share):
        rest = share * sum(self.counts)
        for value, count in enumerate(self.counts):
            rest -= count
            if rest <= 0:
                return value
        return BUCKETS - 1


def sampler(dev, lane, pipe):
    """Child: a histogram of what is timed between two signals of the parent."""
    os.sched_setaffinity(0, {0})
    while True:
        command = os.read(pipe[0], 1)
        if not command:
            os._exit(0)
        histogram = Histogram()
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            histogram.add(dev.sample(lane, 0, False, 0, SAMPLES))
        os.write(pipe[1], histogram.counts.tobytes())


def read_all(fd, length):
    data = bytearray()
    while len(data) < length:
        part = os.read(fd, length - len(data))
        if not part:
            raise RuntimeError("the sampler ended")
        data += part
    return bytes(data)


class Changes:
    """Commits that change something each time."""

    def __init__(self, w, channel, records):
        self.w, self.channel = w, channel
        self.rng = random.Random(1)
        self.portsets = records[knp.PORTSET]

    def commit(self, records):
        self.channel.socket.send([costs.joined(self.channel, records)], 1)

    def pods(self):
        self.commit({knp.PEER: [knp.PEERS.pack(
            self.rng.choice(self.w.pods), self.w.family,
            self.rng.randrange(self.w.classes) + 1)
            for _ in range(PODS_IN_COMMIT)]})

    def policy(self):
        self.commit({knp.PORTSET: [self.rng.choice(self.portsets)]})

    def go_on(self, seconds):
        """Returns how many pods were changed."""
        start = time.perf_counter()
        done = 0
        every = PODS_A_SECOND // POLICIES_A_SECOND
        while time.perf_counter() - start < seconds:
            if time.perf_counter() - start < done / PODS_A_SECOND:
                continue
            self.pods()
            if done % every == 0:
                self.policy()
            done += PODS_IN_COMMIT
        return done


def measure(out):
    w = model.Workload("W2", socket.AF_INET, **plan.W2)
    netns = contenders.new_namespace()
    channel = knp.Channel()
    channel.attach()
    records = knp.Tables(w).records
    channel.commit(records)
    dev = device.Device()
    dev.trace(0, model.Tracer(w).uniform(1 << 17))
    lane = dev.lane(contenders.Knp("knp"), w.family, netns)
    dev.calibrate(lane, 0)

    down, up = os.pipe(), os.pipe()
    child = os.fork()
    if not child:
        os.close(down[1])
        os.close(up[0])
        sampler(dev, lane, (down[0], up[1]))
    os.close(down[0])
    os.close(up[1])
    os.sched_setaffinity(0, {1})
    changes = Changes(w, channel, records)
    total = {"idle": Histogram(), "busy": Histogram()}
    pods = 0
    for _ in range(TURNS):
        for state, histogram in total.items():
            os.write(down[1], b"g")
            if state == "busy":
                pods += changes.go_on(SECONDS)
            counts = array.array("Q", read_all(up[0], 8 * BUCKETS))
            for i, count in enumerate(counts):
                histogram.counts[i] += count
    os.close(down[1])
    os.waitpid(child, 0)
    rate = pods / (TURNS * SECONDS)
    out.line("figure", name="w6_pods_a_second", value=rate)
    if rate < ENOUGH * PODS_A_SECOND:
        out.say("W6: the machine is too slow for %d pods a second" %
                PODS_A_SECOND)
        total = {}
    for state, histogram in total.items():
        for name, share in (("p50", .5), ("p99", .99), ("p999", .999)):
            out.line("figure", name="w6_%s_%s_ns" % (state, name),
                     value=histogram.percentile(share))
    os.close(netns)
