# SPDX-License-Identifier: Apache-2.0
"""knpd takes the startup taint from its node, once policies hold there."""
import json
import time

from daemon import knpd_with_status
from harness import check, eventually, test


class Node:
    """The node n of a server: what is asked about it, and how it answers."""

    def __init__(self, *taints):
        self.taints = [{"key": key, "effect": effect} for key, effect in taints]
        self.log = []
        self.before = {}    # method: what to do first, once; True: answered

    def __call__(self, request):
        if request.path != "/api/v1/nodes/n":
            return False
        self.log.append(request)
        first = self.before.pop(request.method, None)
        if first and first(request):
            return True
        if request.method == "PATCH" and not self.patch(request):
            request.refuse(422, "Invalid", "the server rejected our request")
            return True
        request.send(200, {"kind": "Node", "apiVersion": "v1", "metadata": {
            "name": "n"}, "spec": {"taints": self.taints}})
        return True

    def patch(self, request):
        check(request.headers["content-type"] == "application/json-patch+json",
              "the type of a patch")
        # API servers compare texts, not what they mean.
        check(b"\\/" not in request.body, "a slash is written as such")
        expected, remove = json.loads(request.body)
        at = int(remove["path"].rpartition("/")[2])
        same = self.taints[at:at + 1] == [expected["value"]]
        check((expected["op"], remove["op"]) == ("test", "remove") and
              expected["path"] == remove["path"] == "/spec/taints/%d" % at,
              "a test, and what it is of")
        if same:
            del self.taints[at]
        return same


def knpd_with_taint(w, server, *options, user=None):
    """knpd that enforces nowhere, and its status."""
    return knpd_with_status(
        w, server, "--node", "n", "--backend", "null:" + w.folder + "/null",
        "--metrics", "none", *options, user=user)


@test
def knpd_takes_its_nodes_startup_taint_and_no_other(w):
    server = w.server()
    node = Node(("a", "NoSchedule"), ("k/np", "NoSchedule"), ("k/np", "NoExecute"),
                ("k/np2", "NoSchedule"), ("b", "NoSchedule"))
    server.hook = node
    # Somebody else is faster than the first patch.
    node.before["PATCH"] = lambda _: node.taints.insert(
        0, {"key": "c", "effect": "NoSchedule"})
    knpd, status = knpd_with_taint(w, server, "--startup-taint", "k/np")
    knpd.expect("policies hold: took the taint k/np from node n")
    check([t["key"] for t in node.taints] == ["c", "a", "k/np2", "b"],
          "what is left")
    lists = [r.at for r in server.log if r.resource and r.what() != "watch"]
    check(len(lists) >= 3 and node.log[0].at > max(lists),
          "not before all was listed")
    asked, batches = len(node.log), status()["enforced_batches"]
    server.pod("later", "10.0.0.7")
    eventually(lambda: status()["enforced_batches"] > batches,
               "another generation")
    check(len(node.log) == asked, "nobody looks again")
    knpd.stop()


@test
def knpd_says_why_it_cannot_take_the_taint_and_goes_on_trying(w):
    server = w.server()
    node = Node(("knp", "NoSchedule"))
    server.hook = node
    refusals = []

    def refuse(request):
        refusals.append(request)
        if len(refusals) < 3:
            node.before["GET"] = refuse
        request.refuse(403, "Forbidden", "nodes n is forbidden")
        return True

    node.before["GET"] = refuse
    node.before["PATCH"] = lambda request: request.send(
        502, b"<html>", kind="text/html") or True
    knpd, status = knpd_with_taint(w, server, "--startup-taint", "knp")
    knpd.expect("took the taint knp", 60)
    said = [line for line in knpd.lines if "cannot take the taint" in line]
    check(len(said) == 2, "each reason once: %r" % said)
    check("get: 403 nodes n is forbidden" in said[0], said[0])
    check("patch: 502" in said[1], said[1])
    check(node.taints == [] and status()["state"] == "synced", "and enforces")
    knpd.stop()


@test
def knpd_reads_its_token_again_if_it_may_not_take_the_taint(w):
    server = w.server()
    server.hook = node = Node(("knp", "NoSchedule"))

    def refuse(request):
        w.write("token", "t1")
        request.refuse(401, "Unauthorized", "Unauthorized")
        return True

    node.before["GET"] = refuse
    w.write("token", "t0")
    knpd, _ = knpd_with_taint(w, server, "--startup-taint", "knp", user={
        "tokenFile": w.folder + "/token"})
    knpd.expect("took the taint knp")
    check([r.headers["authorization"] for r in node.log[:2]] ==
          ["Bearer t0", "Bearer t1"], "with the new one")
    knpd.stop()


@test
def knpd_asks_for_the_taint_no_sooner_than_it_is_told_to(w):
    server = w.server()
    server.hook = node = Node(("knp", "NoSchedule"))
    node.before["GET"] = lambda request: request.refuse(
        429, "TooManyRequests", "later", {"Retry-After": "3"}) or True
    knpd, _ = knpd_with_taint(w, server, "--startup-taint", "knp")
    knpd.expect("took the taint knp")
    check(node.log[1].at - node.log[0].at >= 3, "it waited")
    knpd.stop()


@test
def knpd_leaves_the_taint_while_nothing_is_enforced(w):
    server = w.server()
    server.hook = node = Node(("knp", "NoSchedule"))
    # All is listed, and the first commit is refused.
    knpd, status = knpd_with_taint(w, server, "--startup-taint", "knp",
                                   "--backend", "null:/dev/full")
    eventually(lambda: status().get("state") == "failed", "it is refused")
    time.sleep(0.3)
    check(not node.log and node.taints, "the taint stays")
    knpd.stop()


@test
def knpd_asks_for_its_node_only_if_there_is_a_startup_taint(w):
    server = w.server()
    server.hook = node = Node(("knp", "NoSchedule"))
    knpd, status = knpd_with_taint(w, server)
    eventually(lambda: status().get("state") == "synced", "all is enforced")
    time.sleep(0.3)
    check(not node.log, "nodes are not asked for")
    knpd.stop()
