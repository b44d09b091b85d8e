# SPDX-License-Identifier: Apache-2.0
"""A stand-in for scheduler and kubelet of the two nodes of the topology.

Pods name their node themselves. A pod whose annotation says what addresses its
network plugin gave it becomes Running and Ready with these; without one it
waits, as a pod does whose sandbox is not made yet. A pod that is to be deleted
is gone at once.
"""
import threading

import api

ADDRESSES = "knp.test/addresses"
NODES = {"node1": "192.168.50.1", "node2": "192.168.50.2"}
PODS = "/api/v1/pods"
RETRY = 0.1


def conditions(*kinds):
    return [{"type": kind, "status": "True"} for kind in kinds]


def register_nodes(client):
    for name, address in NODES.items():
        client.call("POST", "/api/v1/nodes", {
            "apiVersion": "v1", "kind": "Node", "metadata": {"name": name}})
        client.call("PATCH", "/api/v1/nodes/%s/status" % name, {"status": {
            "addresses": [{"type": "InternalIP", "address": address},
                          {"type": "Hostname", "address": name}],
            "conditions": conditions("Ready")}}, api.MERGE)


def running(pod, addresses):
    """The status a kubelet gives a pod whose containers run."""
    return {"status": {
        "phase": "Running",
        "hostIP": NODES[pod["spec"]["nodeName"]],
        "podIP": addresses[0],
        "podIPs": [{"ip": address} for address in addresses],
        "conditions": conditions("PodScheduled", "Initialized",
                                 "ContainersReady", "Ready")}}


class Kubelet(threading.Thread):
    """Both nodes' kubelets. Starts anew whenever the API server went away."""

    def __init__(self, client):
        super().__init__(daemon=True)
        self.client = client
        self.stopped = threading.Event()

    def run(self):
        while not self.stopped.is_set():
            try:
                self._follow()
            except (OSError, ValueError, api.Refused,
                    api.http.client.HTTPException):
                self.stopped.wait(RETRY)

    def stop(self):
        self.stopped.set()

    def _follow(self):
        pods = self.client.call("GET", PODS)
        for pod in pods["items"]:
            self._tend(pod)
        version = pods["metadata"]["resourceVersion"]
        for event in self.client.watch(PODS, version):
            if self.stopped.is_set() or event["type"] == "ERROR":
                return
            if event["type"] != "DELETED":
                self._tend(event["object"])

    def _tend(self, pod):
        meta = pod["metadata"]
        path = "/api/v1/namespaces/%(namespace)s/pods/%(name)s" % meta
        try:
            if "deletionTimestamp" in meta:
                self.client.call("DELETE", path, {
                    "gracePeriodSeconds": 0,
                    "preconditions": {"uid": meta["uid"]}})
                return
            said = meta.get("annotations", {}).get(ADDRESSES)
            if pod["spec"].get("nodeName") not in NODES or not said:
                return
            wanted = running(pod, said.split(","))
            if pod["status"].get("podIPs") != wanted["status"]["podIPs"]:
                self.client.call("PATCH", path + "/status", wanted, api.MERGE)
        except api.Refused as refused:
            # gone or replaced since the event: another event tells
            if refused.code not in (404, 409):
                raise
