# SPDX-License-Identifier: Apache-2.0
"""From the lines that guests wrote to a table, results.json and pictures.

usage: report.py EFFORT FOLDER...     the headline build's folder first

The time of a contender is its median over all turns less that of the loop
without a hook, so a whole hook is in it and nothing else. The spread is the
distance from the 10th to the 90th percentile. A ratio's interval holds 90 % of
its medians when turns are drawn anew (bootstrap).
"""
import json
import os
import platform
import random
import statistics
import sys

import goals
import picture

BUILD = os.environ.get("BUILD", "build")
DRAWS = 1000
DRIFT = 0.03


def percentile(values, share):
    values = sorted(values)
    return values[round(share * (len(values) - 1))]


class Results:
    """What one boot found out."""

    def __init__(self, folder):
        self.build = os.path.basename(folder)
        self.times, self.checks, self.figures = {}, [], {}
        with open(os.path.join(folder, "results"), encoding="utf-8") as f:
            for text in f:
                self.take(json.loads(text))

    def take(self, line):
        if line["kind"] == "times":
            key = (line["workload"], line["family"], line["cache"])
            self.times.setdefault(key, {})[line["contender"]] = line["ns"]
        elif line["kind"] == "check":
            self.checks.append(line)
        elif line["kind"] == "figure":
            self.figures[line["name"]] = line["value"]

    def wrong(self):
        return [c for c in self.checks if c["wrong"]]

    def ns(self, key, contender):
        """Nanoseconds a packet over the loop; None if it was not measured."""
        group = self.times.get(key, {})
        if contender not in group:
            return None
        return (statistics.median(group[contender]) -
                statistics.median(group["none"]))

    def spread(self, key, contender):
        values = self.times[key][contender]
        return percentile(values, 0.9) - percentile(values, 0.1)

    def drift(self, key):
        """How far the empty hook's halves are apart, of the loop."""
        values = self.times[key]["empty"]
        half = len(values) // 2
        a, b = (statistics.median(v) for v in (values[:half], values[half:]))
        return abs(a - b) / min(a, b)

    def ratio(self, key, ours, peer):
        """(ratio, low, high) or None"""
        mine, theirs = self.ns(key, ours), self.ns(key, peer)
        if mine is None or theirs is None:
            return None
        rng = random.Random(0)
        group = self.times[key]
        base = statistics.median(group["none"])
        draws = sorted(
            (statistics.median(rng.choices(group[ours], k=len(group[ours]))) -
             base) /
            max(statistics.median(rng.choices(group[peer],
                                              k=len(group[peer]))) - base, 0.1)
            for _ in range(DRAWS))
        return (mine / max(theirs, 0.1), draws[DRAWS // 20],
                draws[-DRAWS // 20])

    def rows(self):
        for key, group in self.times.items():
            for contender in group:
                if contender != "none":
                    yield {"workload": key[0], "contender": contender,
                           "family": key[1], "cache": key[2],
                           "build": self.build,
                           "ns": round(self.ns(key, contender), 1),
                           "spread": round(self.spread(key, contender), 1)}


def machine():
    with open("/proc/cpuinfo", encoding="utf-8") as f:
        model = next((line.split(":", 1)[1].strip() for line in f
                      if line.startswith("model name")), "unknown")
    return {"cpu": model, "cpus": os.cpu_count(), "host": platform.release(),
            "load": os.getloadavg()[0]}


def table(results):
    for build in results:
        print("\n%s: ns per verdict over the bare loop (spread)" % build.build)
        for key, group in build.times.items():
            note = ("" if build.drift(key) <= DRIFT else
                    "   NOISY: the empty hook drifted by %.0f %%" %
                    (100 * build.drift(key)))
            print("  %s %s %s%s" % (*key, note))
            ours = build.ns(key, "knp")
            for contender in group:
                if contender == "none":
                    continue
                ns = build.ns(key, contender)
                ratio = build.ratio(key, "knp", contender)
                print("    %-18s %10.1f (%.1f)%s" % (
                    contender, ns, build.spread(key, contender),
                    "" if contender in ("knp", "empty") or ours is None else
                    "   knp/it %.4f [%.4f %.4f]" % ratio))


def tap(results):
    """One line for each contender's verdicts on each trace."""
    n, bad = 0, 0
    for c in (c for build in results for c in build.checks):
        n += 1
        bad += bool(c["wrong"])
        print("%sok %d - %s %s, %s, trace %d: %s judges %d packets as the "
              "policies say (%d dropped)" %
              ("not " if c["wrong"] else "", n, c["workload"], c["family"],
               c["state"], c["slot"], c["contender"], c["packets"],
               c["drops"]))
        if c["wrong"]:
            print("# %d wrong, the first is packet %d" % (c["wrong"],
                                                          c["first"]))
    print("1..%d" % n)
    return 1 if bad or not n else 0


def main(effort, *folders):
    results = [Results(folder) for folder in folders]
    if effort == "check":
        return tap(results)
    for build in results:
        for c in build.wrong():
            print("WRONG VERDICTS, not measured: %s %s %s: %d of %d" %
                  (c["workload"], c["family"], c["contender"], c["wrong"],
                   c["packets"]))
    table(results)
    figures = {}
    for build in results:
        figures.update(build.figures)
    for name, value in figures.items():
        print("  %-22s %12.2f" % (name, value))
    reached = goals.judge(results[0], figures)
    goals.show(reached)
    path = os.path.join(BUILD, "bench", "results.json")
    with open(path, "w", encoding="utf-8") as f:
        json.dump({"machine": machine(), "effort": effort,
                   "rows": [row for build in results for row in build.rows()],
                   "figures": figures, "goals": reached}, f, indent=1)
        f.write("\n")
    picture.draw(results[0], os.path.join(BUILD, "bench"))
    print("\n%s" % path)
    return 1 if any(build.wrong() for build in results) else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
