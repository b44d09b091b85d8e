# SPDX-License-Identifier: Apache-2.0
"""Draws ns per verdict against scale: SVG, two panels with logarithmic axes."""
import math
import os
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 420, 340
LEFT, TOP, RIGHT, BOTTOM = 62, 46, 14, 48
GAP, LEGEND = 30, 150
LOW, HIGH = 10, 1000000         # ns

# title, axis, [(x, workload)]
PANELS = (
    ("1,000 policies", "pods in the cluster",
     ((10, "pods-10"), (1000, "pods-1k"), (10000, "pods-10k"),
      (100000, "W2"))),
    ("1,000 pods", "policies on the node's pods",
     ((10, "policies-10"), (100, "policies-100"), (1000, "pods-1k"),
      (10000, "policies-10k"))),
)
# contender, what it is called, colour
LINES = (
    ("knp", "knp", "#c1121f"),
    ("nft-vmap", "nft, one verdict map", "#1d7874"),
    ("ipset-pairs", "iptables, one ipset", "#5f0f92"),
    ("cilium", "Cilium's map look-ups", "#e07a00"),
    ("kube-router", "kube-router (iptables)", "#3a6ea5"),
    ("npm", "Azure NPM (iptables)", "#6c757d"),
)
STYLE = ("text{font:12px sans-serif;fill:#222}.t{font-weight:bold}"
         ".g{stroke:#ddd}.a{stroke:#222;fill:none}"
         ".e{text-anchor:end}.m{text-anchor:middle}")


def place(value, low, high, start, end):
    share = math.log(value / low) / math.log(high / low)
    return start + share * (end - start)


def powers(low, high):
    value = low
    while value <= high:
        yield value
        value *= 10


def short(value):
    return ("%d" % value if value < 1000 else "%dk" % (value // 1000)
            if value < 1000000 else "%dM" % (value // 1000000))


class Panel:
    """One diagram, at x of the picture."""

    def __init__(self, x, points):
        self.left, self.right = x + LEFT, x + WIDTH - RIGHT
        self.low, self.high = points[0][0], points[-1][0]

    def x(self, value):
        return place(value, self.low, self.high, self.left, self.right)

    def y(self, ns):
        return place(min(max(ns, LOW), HIGH), LOW, HIGH, HEIGHT - BOTTOM, TOP)

    def frame(self, title, axis):
        middle = (self.left + self.right) / 2
        yield '<text class="t m" x="%g" y="%g">%s</text>' % (
            middle, TOP - 14, escape(title))
        yield '<text class="m" x="%g" y="%g">%s</text>' % (
            middle, HEIGHT - 10, escape(axis))
        for ns in powers(LOW, HIGH):
            y = self.y(ns)
            yield '<path class="g" d="M%g %.1fH%g"/>' % (self.left, y,
                                                         self.right)
            yield '<text class="e" x="%g" y="%.1f">%s</text>' % (
                self.left - 6, y + 4, short(ns))
        for value in powers(self.low, self.high):
            yield '<text class="m" x="%.1f" y="%g">%s</text>' % (
                self.x(value), HEIGHT - BOTTOM + 18, short(value))
        yield '<path class="a" d="M%g %gV%gH%g"/>' % (
            self.left, TOP, HEIGHT - BOTTOM, self.right)

    def line(self, points, colour):
        yield '<polyline fill="none" stroke="%s" stroke-width="%s" ' \
            'points="%s"/>' % (
                colour, 3 if colour == LINES[0][2] else 1.6,
                " ".join("%.1f,%.1f" % (self.x(x), self.y(ns))
                         for x, ns in points))
        for x, ns in points:
            yield '<circle cx="%.1f" cy="%.1f" r="2.6" fill="%s"/>' % (
                self.x(x), self.y(ns), colour)


def panel(results, index, title, axis, points):
    draw = Panel(index * (WIDTH + GAP), points)
    yield from draw.frame(title, axis)
    for contender, _, colour in LINES:
        found = [(x, results.ns((workload, "ipv4", "uniform"), contender))
                 for x, workload in points]
        found = [(x, ns) for x, ns in found if ns is not None]
        if found:
            yield from draw.line(found, colour)


def legend(x):
    for i, (_, name, colour) in enumerate(LINES):
        y = TOP + 20 * i + 10
        yield '<path stroke="%s" stroke-width="3" d="M%g %gh18"/>' % (colour, x,
                                                                      y)
        yield '<text x="%g" y="%g">%s</text>' % (x + 24, y + 4, escape(name))


def draw(results, folder):
    """Writes folder/verdict.svg, if there is something to draw."""
    if ("pods-10", "ipv4", "uniform") not in results.times:
        return
    width = len(PANELS) * (WIDTH + GAP) + LEGEND
    out = ['<!-- SPDX-License-Identifier: Apache-2.0 -->',
           '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" '
           'role="img" aria-label="ns per verdict">' % (width, HEIGHT),
           "<title>Nanoseconds per verdict</title>",
           "<style>%s</style>" % STYLE,
           '<rect width="100%" height="100%" fill="#fff"/>',
           '<text x="8" y="18">ns per verdict</text>']
    for i, (title, axis, points) in enumerate(PANELS):
        out += panel(results, i, title, axis, points)
    out += legend(len(PANELS) * (WIDTH + GAP) - 10)
    out.append("</svg>")
    with open(os.path.join(folder, "verdict.svg"), "w", encoding="utf-8") as f:
        f.write("\n".join(out) + "\n")
