# SPDX-License-Identifier: Apache-2.0
"""Runs in User-Mode Linux: sets up contenders and measures them side by side.

usage: guest.py EFFORT PARTS FILE [CASE,...]

PARTS is one or more of "packets", "costs" and "churn", joined by commas. CASEs
are names of plan.py instead of those the effort has. Writes
a line of JSON to FILE for each thing that was found out:
  {"kind": "check", ...}   the verdicts of one contender on one trace
  {"kind": "times", ...}   nanoseconds a packet, one for each turn
  {"kind": "figure", ...}  of costs.py and churn.py: name, value
  {"kind": "done"}         the last one
"""
import json
import os
import statistics
import sys

import churn
import contenders
import costs
import device
import model
import plan

CONTROLS = ("none", "empty")
UNIFORM, ZIPF = 0, 1
WALKS = {"cold-l1": 96 << 10, "cold-l2": 6 << 20}
HOT_SPAN = 64


class Writer:
    """Lines for the host, each complete when it is written."""

    def __init__(self, path):
        self.file = open(path, "w", encoding="utf-8", buffering=1)

    def line(self, kind, **values):
        self.file.write(json.dumps({"kind": kind, **values}) + "\n")

    def say(self, text):
        print(text, flush=True)


class Track:
    """One case in one family: its traces and lanes."""

    def __init__(self, case, family, effort, out):
        self.case, self.family, self.effort = case, family, effort
        self.out = out
        self.device = device.Device()
        self.established = bool(case.established)
        self.load_traces()
        self.lanes = {}
        self.files = []
        for contender in contenders.make(CONTROLS + case.contenders):
            self.add(contender)
        self.device.calibrate(self.lanes["none"][0], UNIFORM)

    def load_traces(self):
        size = {what: min(value, self.effort.most.get(what, value))
                if isinstance(value, int) else value
                for what, value in self.case.size.items()}
        self.workload = model.Workload(
            self.case.name, device.FAMILIES[self.family], **size)
        tracer = model.Tracer(self.workload)
        count = self.effort.trace
        if self.established:
            flows = tracer.established(count, self.case.established)
        else:
            flows = tracer.uniform(count)
        self.device.trace(UNIFORM, flows)
        if "zipf" in self.case.modes:
            self.device.trace(ZIPF, tracer.zipf(count))

    def add(self, contender):
        netns = contenders.new_namespace()
        self.files.append(netns)
        if contender.devices:
            contenders.add_devices()
        contender.load(self.workload)
        lane = self.device.lane(contender, device.FAMILIES[self.family], netns)
        self.lanes[contender.name] = lane, contender

    def close(self):
        self.device.close()
        for fd in self.files:
            os.close(fd)
        for _, contender in self.lanes.values():
            ipcache, endpoints, policies = contender.maps
            if policies:
                for fd in (ipcache, endpoints, *policies):
                    if fd >= 0:
                        os.close(fd)

    def where(self):
        return {"workload": self.case.name, "family": self.family,
                "state": "established" if self.established else "new"}

    def check(self):
        """Each contender's verdicts on each trace; False if one is wrong."""
        good = True
        slots = [UNIFORM] + [ZIPF] * ("zipf" in self.case.modes and
                                      not self.established)
        for name, (lane, contender) in self.lanes.items():
            for slot in slots if contender.judges else ():
                wrong, first, drops, count = self.device.check(
                    lane, slot, self.established, contender.bit)
                good &= not wrong
                self.out.line("check", **self.where(), contender=name,
                              slot=slot, wrong=wrong, first=first, drops=drops,
                              packets=count)
        return good

    def warm_times(self, mode):
        """Turns there and back through the lanes, so that drift cancels."""
        slot = ZIPF if mode == "zipf" else UNIFORM
        span = HOT_SPAN if mode == "hot" else 0
        times = {name: [] for name in self.lanes}
        for _ in range(self.effort.rounds):
            names = list(self.lanes)
            for name in names + names[::-1]:
                lane = self.lanes[name][0]
                for ms in (self.effort.warm_ms, self.effort.round_ms):
                    ns = self.device.ns(lane, slot, span, self.established,
                                        ms * 1e6)
                times[name].append(ns)
        return times

    def cold_times(self, mode):
        count = self.effort.cold[mode == "cold-l2"]
        times = {name: [] for name in self.lanes}
        for _ in range(4):
            for name, (lane, _) in self.lanes.items():
                times[name].append(statistics.median(self.device.sample(
                    lane, UNIFORM, self.established, WALKS[mode],
                    count // 4)))
        return times

    def measure(self):
        for mode in self.case.modes:
            times = (self.cold_times(mode) if mode in WALKS else
                     self.warm_times(mode))
            for name, values in times.items():
                self.out.line("times", **self.where(), contender=name,
                              cache=mode, ns=[round(v, 2) for v in values])


def tracks(effort, only):
    wanted = only or effort.cases
    for case in plan.CASES:
        if wanted and case.name not in wanted:
            continue
        for family in case.families:
            if family in effort.families:
                yield case, family


def packets(effort, only, out):
    for case, family in tracks(effort, only):
        out.say("%s %s" % (case.name, family))
        track = Track(case, family, effort, out)
        if track.check() and effort.rounds:
            track.measure()
        track.close()


def main(effort, parts, path, only=""):
    out = Writer(path)
    for part in parts.split(","):
        if part == "packets":
            packets(plan.EFFORTS[effort],
                    only.split(",") if only else (), out)
        else:
            out.say(part)
            {"costs": costs, "churn": churn}[part].measure(out)
    out.line("done")


if __name__ == "__main__":
    main(*sys.argv[1:])
