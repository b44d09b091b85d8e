# SPDX-License-Identifier: Apache-2.0
"""What is measured of knpd with a large cluster, and what must be right in it.

A Bench collects figures (name, value, unit, goal) and checks (what, right or
not). Figures decide nothing; a wrong check makes them worthless.
"""
import math
import os
import shutil
import tempfile
import time

import cluster

SYNC_S = 300            # a first commit takes no longer
COMMIT_S = 5            # nor does that of an event
PAUSE_S = 0.001         # between two events that are timed alone
MOST_S = 60             # for events that are timed alone; then there are fewer

KINDS = ("label", "label", "ip", "delete", "create")
CHANGES = ("add", "ports", "peers", "ports", "peers", "delete")


class Size:
    """How large everything is; the full benchmark by default."""

    def __init__(self, **changes):
        self.cluster = {"pods": 100000, "namespaces": 5000,
                        "policies": 10000, "local": 250, "spread": 120,
                        "crowd": 250}
        self.syncs = 3              # of each way to list
        self.remote = 2000          # events timed alone
        self.local = 500
        self.ready = 200
        self.policies = 306         # changes of the policy of 250 Pods
        self.rate = 1000
        self.seconds = 30
        self.relists = 3
        self.quiet = 0.5            # seconds without work are rest
        for name, value in changes.items():
            setattr(self, name, value)

    @classmethod
    def smoke(cls):
        return cls(cluster={"pods": 1000, "namespaces": 50, "policies": 120,
                            "local": 20, "spread": 12, "crowd": 50},
                   syncs=1, remote=20, local=10, ready=5, policies=12,
                   rate=200, seconds=1, relists=1, quiet=0.2)


def percentile(values, share):
    """The value that so many of 1 do not exceed: the nearest rank."""
    values = sorted(values)
    return values[max(0, math.ceil(share * len(values)) - 1)]


def median(values):
    return percentile(values, 0.5)


class Bench:
    """One run of the benchmark."""

    def __init__(self, size, say=lambda text: None):
        self.size, self.say = size, say
        self.folder = tempfile.mkdtemp(prefix="knp-bench.")
        self.figures = []
        self.checks = []
        self.server = None
        self.knpd = None

    def figure(self, name, value, unit, goal=None):
        self.figures.append({"name": name, "value": value, "unit": unit,
                             "goal": goal,
                             "met": None if goal is None else value <= goal})

    def check(self, what, good, detail=""):
        self.checks.append((what, bool(good), detail))

    def close(self):
        """Ends what was started; the logs stay where something was wrong."""
        self.stop_knpd()
        if self.server:
            self.server.stop()
        if all(good for _, good, _ in self.checks):
            shutil.rmtree(self.folder)
        else:
            self.say("logs: " + self.folder)

    # ---- knpd ---------------------------------------------------------------

    def start_knpd(self, node):
        """A knpd that has just made its first commit."""
        self.knpd = cluster.Knpd(self.server, node, self.folder)
        first = self.knpd.wait_commit(SYNC_S)
        if not first:
            raise cluster.Failed("no first commit within %d s, see %s" %
                                 (SYNC_S, self.knpd.log))
        return first

    def stop_knpd(self):
        if self.knpd:
            self.knpd.stop()
            self.knpd = None

    def settled(self):
        """All commits until knpd rests with a watch of the Pods."""
        commits = self.knpd.settle(self.size.quiet)
        end = time.monotonic() + SYNC_S
        while not self.server.ask("stats")["watching"]:
            if time.monotonic() > end:
                raise cluster.Failed("knpd does not watch the Pods")
            commits += self.knpd.settle(self.size.quiet)
        return commits

    # ---- what is measured ---------------------------------------------------

    def null_reader(self):
        """What the server itself can do, so that it is known who waits."""
        pods = "/api/v1/pods"
        for name, path, end in (
                ("list", pods, None),
                ("WatchList", pods + "?watch=1&sendInitialEvents=true",
                 b"initial-events-end")):
            size, seconds = self.server.throw_away(path, end)
            self.figure("server to a reader that throws away, %s" % name,
                        size / seconds / 1e6, "MB/s")

    def one_sync(self, node):
        """CPU and wall seconds to the first commit, wall from the first request."""
        before = self.server.ask("stats")["requests"]
        first = self.start_knpd(node)
        cpu = self.knpd.cpu()
        user, kernel = self.knpd.cpu_split()
        waited = self.knpd.waited()
        log = self.server.ask("requests %d" % before)["requests"]
        wall = (first.ns - log[0]["ns"]) / 1e9
        self.check("the first commit has objects", first.puts > 0)
        return {"cpu": cpu, "user": user, "kernel": kernel, "wall": wall,
                "waited": waited,
                "start": (first.ns - self.knpd.started) / 1e9,
                "requests": len(log), "puts": first.puts}

    def sync(self):
        """The first list, in both ways, in turns; leaves knpd running."""
        runs = {"list": [], "WatchList": []}
        for turn in range(self.size.syncs):
            for way, switch in (("list", "off"), ("WatchList", "on")):
                self.stop_knpd()
                self.server.ask("watchlist " + switch)
                self.say("initial sync by %s, %d of %d" %
                         (way, turn + 1, self.size.syncs))
                runs[way].append(self.one_sync("node1"))
                if way == "list" and turn == self.size.syncs - 1:
                    self.memory_after_list()
        for way, results in runs.items():
            name = "initial sync by %s, " % way
            self.figure(name + "CPU", median([r["cpu"] for r in results]),
                        "s", 2)
            for what in ("user", "kernel"):
                self.figure(name + what,
                            median([r[what] for r in results]), "s")
            self.figure(name + "ready without a CPU",
                        median([r["waited"] for r in results]), "s")
            self.figure(name + "first request to first commit",
                        median([r["wall"] for r in results]), "s")
            self.figure(name + "start to first commit",
                        median([r["start"] for r in results]), "s")
        self.figure("records of the first commit", results[-1]["puts"], "")

    def memory_after_list(self):
        """Pages are larger than events; what they needed may stay."""
        self.settled()
        self.figure("resident per Pod after a list",
                    self.knpd.memory()["VmRSS"] / self.size.cluster["pods"],
                    "bytes", 256)

    def memory(self):
        """At rest with all Pods, and with none but the same rest."""
        pods = self.size.cluster["pods"]
        self.settled()
        rest = self.knpd.memory()
        self.stop_knpd()
        self.say("memory without Pods")
        whole, self.server = self.server, None
        try:
            self.server = cluster.Server(**{**self.size.cluster, "pods": 0,
                                            "local": 0, "crowd": 0})
            self.start_knpd("node1")
            self.settled()
            empty = self.knpd.memory()
            self.stop_knpd()
        finally:
            if self.server:
                self.server.stop()
            self.server = whole
        for key in ("VmRSS", "RssAnon", "RssFile"):
            self.figure("at rest, %s" % key, rest[key] / 1e6, "MB")
            self.figure("without Pods, %s" % key, empty[key] / 1e6, "MB")
        self.figure("resident per Pod", rest["VmRSS"] / pods, "bytes", 256)
        self.figure("resident per Pod, beyond that without Pods",
                    (rest["VmRSS"] - empty["VmRSS"]) / pods, "bytes", 256)

    def one_event(self, command):
        """Milliseconds from the server's send to the one commit of an event."""
        stray = self.knpd.drain()
        sent = self.server.ask(command)["sent_ns"]
        commit = self.knpd.wait_commit(COMMIT_S)
        time.sleep(PAUSE_S)
        if not commit or stray or self.knpd.drain():
            return None
        return (commit.ns - sent) / 1e6

    def pod_events(self):
        """Single events, of Pods elsewhere and then on this node.

        One after the other: without the Pods here that a policy selects, what
        is elsewhere changes nothing.
        """
        counts = {"remote": self.size.remote, "local": self.size.local}
        times = {"remote": [], "local": []}
        self.say("%d events of one Pod" % sum(counts.values()))
        waited = self.knpd.waited()
        for scope, count in counts.items():
            end = time.monotonic() + MOST_S
            # A Pod that was deleted is made again: whole rounds.
            while (len(times[scope]) < count and
                   (time.monotonic() < end or
                    len(times[scope]) % len(KINDS))):
                kind = KINDS[len(times[scope]) % len(KINDS)]
                times[scope].append(self.one_event("pod %s %s" %
                                                   (kind, scope)))
        events = sum(times.values(), [])
        for scope, values in times.items():
            self.percentiles("one event of a %s Pod to its commit" % scope,
                             values, 1)
        self.figure("knpd ready without a CPU, per event",
                    1e3 * (self.knpd.waited() - waited) / len(events), "ms")
        missed = events.count(None)
        self.check("every event of a Pod that changes the tables makes one commit",
                   not missed, "%d of %d did not" % (missed, len(events)))

    def percentiles(self, name, values, goal):
        """Of times of which None are missing; all missing is infinite."""
        values = [v for v in values if v is not None] or [math.inf]
        self.figure(name + ", count", len(values), "")
        self.figure(name + ", p50", percentile(values, 0.5), "ms")
        self.figure(name + ", p99", percentile(values, 0.99), "ms", goal)
        self.figure(name + ", max", max(values), "ms")

    def quiet_events(self):
        """Events that mean nothing for policy reach no table."""
        self.knpd.drain()
        for _ in range(self.size.ready):
            self.server.ask("pod ready remote")
        self.check("events that change nothing for policy make no commit",
                   not self.knpd.settle(self.size.quiet))

    def relist(self):
        """410 after one Pod of a thousand got another address, unseen."""
        moved = max(1, self.size.cluster["pods"] // 1000)
        cpu, peak, exact = [], [], 0
        for turn in range(self.size.relists):
            self.say("relist, %d of %d" % (turn + 1, self.size.relists))
            self.settled()
            rest = self.knpd.memory()["VmRSS"]
            self.knpd.forget_peak()
            before = self.knpd.cpu()
            self.server.ask("drift %d" % moved)
            self.server.ask("gone")
            commit = self.knpd.wait_commit(SYNC_S)
            if not commit:
                raise cluster.Failed("no commit after a relist")
            commits = [commit] + self.settled()
            cpu.append(self.knpd.cpu() - before)
            peak.append(self.knpd.memory()["VmHWM"] / rest)
            writes = (sum(c.puts for c in commits),
                      sum(c.deletes for c in commits))
            exact += writes == (moved, moved)
        self.figure("relist, CPU", median(cpu), "s")
        self.figure("relist, peak of memory to that at rest", max(peak), "x",
                    1.5)
        self.figure("relist with %d Pods moved, puts" % moved, writes[0], "",
                    moved)
        self.figure("relist with %d Pods moved, deletes" % moved, writes[1],
                    "", moved)
        self.check("a relist writes only the difference",
                   exact == self.size.relists, "+%d -%d" % writes)

    def pace(self):
        """A cluster's usual events: CPU over the time they take."""
        size = self.size
        self.say("%d events/s for %d s" % (size.rate, size.seconds))
        self.settled()
        before = self.knpd.cpu()
        self.server.ask("rate %d %d" % (size.rate, size.seconds))
        commits = []
        while True:
            time.sleep(0.05)
            commits += self.knpd.drain()
            rate = self.server.ask("stats")["rate"]
            if rate["sent"] == rate["wanted"]:
                break
        # What is still to do when the last event was sent counts, too.
        commits += self.settled()
        used = self.knpd.cpu() - before
        wall = (rate["last_ns"] - rate["first_ns"]) / 1e9
        behind = max([0] + [c.ns - rate["last_ns"] for c in commits])
        self.figure("CPU at %d Pod events/s" % size.rate, 100 * used / wall,
                    "% of a core", 3)
        self.figure("CPU per event", 1e6 * used / rate["sent"], "us")
        self.figure("commits at that rate", len(commits) / wall, "/s")
        self.figure("last event of the rate to last commit", behind / 1e6,
                    "ms")
        self.figure("memory after it, VmRSS",
                    self.knpd.memory()["VmRSS"] / 1e6, "MB")
        self.check("all events of the rate were sent in time",
                   wall < 1.05 * size.seconds + 0.1, "%.1f s" % wall)

    def crowd(self):
        """The policy that selects all local Pods of node2, changed."""
        self.say("%d changes of one policy" % self.size.policies)
        self.stop_knpd()
        self.start_knpd("node2")
        self.settled()
        times = {change: [] for change in CHANGES}
        end = time.monotonic() + MOST_S
        for i in range(self.size.policies):
            if time.monotonic() > end:
                break
            change = CHANGES[i % len(CHANGES)]
            times[change].append(self.one_event("policy " + change))
        name = "one policy of %d local Pods" % self.size.cluster["crowd"]
        changes = sum(times.values(), [])
        self.percentiles(name, changes, 5)
        for change, some in times.items():
            self.figure("%s: %s, p99" % (name, change),
                        percentile([v for v in some if v is not None] or
                                   [math.inf], 0.99), "ms")
        missed = changes.count(None)
        self.check("every change of the policy makes one commit", not missed,
                   "%d of %d did not" % (missed, len(changes)))

    def run(self):
        """Everything; the order matters: the rate leaves the cluster changed."""
        self.server = cluster.Server(**self.size.cluster)
        self.null_reader()
        self.sync()
        self.memory()
        self.start_knpd("node1")
        self.settled()
        self.pod_events()
        self.quiet_events()
        self.relist()
        self.crowd()
        self.stop_knpd()
        self.start_knpd("node1")
        self.pace()


def machine():
    """What the figures depend on."""
    with open("/proc/cpuinfo", encoding="ascii", errors="replace") as f:
        models = [line.split(":", 1)[1].strip() for line in f
                  if line.startswith("model name")]
    with open("/proc/meminfo", encoding="ascii") as f:
        kilobytes = int(f.readline().split()[1])
    uname = os.uname()
    return {"cpu": models[0] if models else uname.machine,
            "cpus": os.cpu_count(), "memory_gb": round(kilobytes / 2**20, 1),
            "kernel": uname.release, "load": os.getloadavg()}
