# SPDX-License-Identifier: Apache-2.0
"""knpd on top of the API client."""
import json
import os
import time

from harness import BUILD, PATIENCE, check, end, eventually, test


@test
def knpd_compiles_what_the_server_has(w):
    server = w.server()
    knpd = w.run([BUILD + "/knpd", "--kubeconfig", w.config(server), "--node",
                  "n", "--dry-run"])
    check(knpd.process.wait(PATIENCE) == 0, "knpd fails")
    knpd.stop()
    check(knpd.has(r"10\.0\.0\.1"), "the pod is in the output")


def knpd_with_status(w, server, *options, user=None):
    """knpd, and a function that reads its status.json."""
    def status():
        try:
            with open(w.folder + "/run/status.json",
                      encoding="utf-8") as source:
                return json.load(source)
        except FileNotFoundError:
            return {}

    return w.run([BUILD + "/knpd", "--kubeconfig", w.config(server, user),
                  "--start-spread", "0", "--runtime-dir",
                  w.folder + "/run", *options]), status


@test
def knpd_names_the_policies_that_it_holds(w):
    server = w.server()
    knpd, status = knpd_with_status(w, server)

    def batches():
        return status().get("batches")

    eventually(lambda: batches() == 1, "the first lists")
    check(status()["policies_held_count"] == 0 and
          status()["policies_held"] == [], "none")
    end(server, "x")
    eventually(lambda: batches() == 2, "the namespace ends")
    server.delete("networkpolicies", "q", "x")
    eventually(lambda: status()["policies_held"] == ["x/q"], "it is held")
    check(status()["policies_held_count"] == 1, "one")
    server.pod("r", "10.0.0.3", "y")
    eventually(lambda: batches() == 4, "another change")
    server.delete("pods", "p", "x")
    eventually(lambda: status()["policies_held"] == [], "it is gone")
    check(status()["policies_held_count"] == 0, "none again")
    knpd.stop()
    check(sum("NetworkPolicy x/q was deleted while its namespace terminates"
              in line for line in knpd.lines) == 1, "told once")


@test
def knpd_leaves_in_status_json_what_it_waits_for(w):
    server = w.server()
    knpd, status = knpd_with_status(w, server)

    def states():
        return {r["resource"]: r["state"]
                for r in status().get("source", {}).get("resources", [])}

    eventually(lambda: states() == {"pods": "watching",
                                    "namespaces": "watching",
                                    "networkpolicies": "watching"}, "watching")
    now = status()
    check(now["source"]["kind"] == "api-server" and now["manifests"] is None
          and now["source"]["server"].endswith(":%d" % server.port) and
          now["source"]["context"] == "c", "the source")
    check(now["waiting"] is None and now["waiting_since"] is None, "no wait")
    check(abs(now["synced_at"] - time.time()) < 10 and now["age"] < 10, "age")
    check({r["resource"]: r["objects"] for r in now["source"]["resources"]} ==
          {"pods": 1, "namespaces": 1, "networkpolicies": 1}, "counts")
    check({r["enforced_resource_version"]
           for r in now["source"]["resources"]} == {None}, "no module")
    server.stop()
    eventually(lambda: status()["waiting"], "waiting")
    now = status()
    check("Connection refused" in now["waiting"], "what for")
    check(abs(now["waiting_since"] - time.time()) < 10, "since when")
    knpd.expect(r"waiting for \S+: cannot connect to .*; what is enforced "
                r"stays")
    again = w.server(port=server.port)
    again.version = 900
    eventually(lambda: status()["waiting"] is None, "no wait any more")
    knpd.expect("the API server answers again")
    check(not knpd.has("t0"), "the token is in no line")
    knpd.stop()


@test
def knpd_forgets_what_was_wrong_with_an_object_that_is_gone(w):
    server = w.server()
    knpd, status = knpd_with_status(w, server)
    server.policy("bad", podSelector={"matchLabels": {"a": 1}})
    eventually(lambda: status().get("faults_count") == 1, "it is told")
    server.delete("networkpolicies", "bad", "x")
    eventually(lambda: status()["faults_count"] == 0 and
               status()["objects_set_aside"] == 0, "and gone with it")
    knpd.stop()


@test
def knpd_leaves_in_status_json_which_versions_are_enforced(w):
    server = w.server()
    knpd, status = knpd_with_status(w, server, "--backend",
                                    "null:" + w.folder + "/log")

    def versions(key):
        return {r["resource"]: r[key]
                for r in status().get("source", {}).get("resources", [])}

    def enforced(resource):
        return versions("enforced_resource_version").get(resource)

    eventually(lambda: enforced("pods"), "the first lists")
    server.pod("r", "10.0.0.3", "y")
    eventually(lambda: enforced("pods") == str(server.version), "a pod")
    check(enforced("networkpolicies") != str(server.version), "of pods alone")
    # the same again changes nothing, and is no batch
    batches = status()["batches"]
    server.pod("r", "10.0.0.3", "y")
    eventually(lambda: enforced("pods") == str(server.version), "the same pod")
    check(status()["batches"] == batches, "no batch")
    knpd.stop()


@test
def knpd_does_not_say_of_what_was_refused_that_it_is_enforced(w):
    server = w.server()
    log = w.folder + "/log"
    os.mkfifo(log)
    reader = os.open(log, os.O_RDONLY | os.O_NONBLOCK)
    knpd, status = knpd_with_status(w, server, "--node", "n", "--backend",
                                    "null:" + log)

    def of_pods():
        return next((r for r in status().get("source", {}).get("resources", [])
                     if r["resource"] == "pods"), {})

    eventually(lambda: of_pods().get("enforced_resource_version"),
               "the first lists")
    enforced = of_pods()["enforced_resource_version"]
    # From now on no commit can be written.
    os.close(reader)
    server.pod("r", "10.0.0.3", "y")
    eventually(lambda: status()["state"] == "failed", "it is refused")
    eventually(lambda: of_pods()["resource_version"] == str(server.version),
               "it is known")
    check(of_pods()["enforced_resource_version"] == enforced,
          "and not enforced")
    knpd.stop()


@test
def knpd_tells_that_its_objects_are_current_though_nothing_changes(w):
    server = w.server()
    # Bookmarks, all of one version
    server.pause = 0.5
    knpd, status = knpd_with_status(w, server, "--backend",
                                    "null:" + w.folder + "/log")
    eventually(lambda: status().get("synced_at"), "the first lists")
    first = status()["synced_at"]
    eventually(lambda: status()["synced_at"] > first + 8, "told again")
    check(status()["age"] < 8, "its age: %s" % status()["age"])
    knpd.stop()


@test
def knpd_says_what_is_wrong_with_a_kubeconfig(w):
    server = w.server()
    for user, said in (
            ({"exec": {"command": "x"}}, "exec is not supported"),
            ({"username": "a", "password": "s3cret"}, "not supported")):
        knpd = w.run([BUILD + "/knpd", "--dry-run", "--kubeconfig",
                      w.config(server, user=user)])
        knpd.process.wait(PATIENCE)
        knpd.stop(1)
        check(knpd.has(said), "a reason: %s" % knpd.lines)
        check(not knpd.has("s3cret"), "no password in the output")
    knpd = w.run([BUILD + "/knpd", "--dry-run", "--kubeconfig", "x",
                  "--manifests", "y"])
    knpd.process.wait(PATIENCE)
    knpd.stop(2)
