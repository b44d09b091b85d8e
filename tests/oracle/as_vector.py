# SPDX-License-Identifier: Apache-2.0
"""A history as a test vector, see tests/vectors/README.md, and back.

One step of the vector per step of the history. A vector has pods in one node
and no restarts; whether it still shows what the history showed is for the
caller to try.
"""
import follower
import oracle
import shrink
import vectors
import yaml


class Style(yaml.SafeDumper):
    def ignore_aliases(self, data):
        return True


def lines(dumper, text):
    return dumper.represent_scalar("tag:yaml.org,2002:str", text,
                                   style="|" if "\n" in text else None)


Style.add_representer(str, lines)


def port_text(port):
    text = str(port["containerPort"])
    if port.get("protocol"):
        text += "/" + port["protocol"]
    return "%s %s" % (port["name"], text) if port.get("name") else text


def ports_of(containers):
    return [port_text(port) for container in containers or []
            for port in container.get("ports") or []]


def pod_fields(pod):
    """What a vector says about a pod."""
    meta, spec = pod["metadata"], pod.get("spec") or {}
    status = pod.get("status") or {}
    init = spec.get("initContainers") or []
    ips = [entry["ip"] for entry in status.get("podIPs") or []]
    if not ips and status.get("podIP"):
        ips = [status["podIP"]]
    return {
        "ip": ips,
        "labels": meta.get("labels") or {},
        "ports": ports_of(spec.get("containers")),
        "sidecar": ports_of(one for one in init
                            if one.get("restartPolicy") == "Always"),
        "init": ports_of(one for one in init
                         if one.get("restartPolicy") != "Always"),
        "host": bool(spec.get("hostNetwork")),
        "phase": status.get("phase") or "Running",
        "created": meta.get("creationTimestamp"),
        "deleting": meta.get("deletionTimestamp"),
        "uid": meta.get("uid"),
        "node": spec.get("nodeName"),
    }


PLAIN = {"ip": [], "labels": {}, "ports": [], "sidecar": [], "init": [],
         "host": False, "phase": "Running", "created": None, "deleting": None,
         "uid": None, "node": None}


def pod_change(old, new):
    """The fields that must be written, given what was written before."""
    fields = {key: value for key, value in pod_fields(new).items()
              if value != (pod_fields(old)[key] if old else PLAIN[key])}
    ips = fields.get("ip")
    if ips and len(ips) == 1:
        fields["ip"] = ips[0]
    return fields


KINDS = {"Namespace": "namespaces", "Pod": "pods", "NetworkPolicy": "policies"}


def full_name(obj):
    meta = obj["metadata"]
    if obj["kind"] == "Namespace":
        return meta["name"]
    return "%s/%s" % (meta["namespace"], meta["name"])


def content(obj, old):
    if obj["kind"] == "Pod":
        return pod_change(old, obj)
    if obj["kind"] == "Namespace":
        return obj["metadata"].get("labels") or {}
    return obj["spec"]


def ending(known):
    return sorted(name for (kind, _, name), obj in known.state.items()
                  if kind == "Namespace" and
                  obj["metadata"].get("deletionTimestamp") is not None)


def changes(before, after):
    """What one step of a vector says: {kind: {name: content or None}}."""
    said = {}
    for key, obj in after.state.items():
        if before.state.get(key) != obj:
            said.setdefault(KINDS[obj["kind"]], {})[full_name(obj)] = content(
                obj, before.state.get(key))
    for key, obj in before.state.items():
        if key not in after.state:
            said.setdefault(KINDS[obj["kind"]], {})[full_name(obj)] = (
                "held" if key in after.deleted else None)
    for key, obj in before.deleted.items():
        if key not in after.deleted and key not in after.state:
            said.setdefault("policies", {})[full_name(obj)] = None
    if ending(before) != ending(after):
        said["ending"] = ending(after)
    return said


def states_of(history):
    known, states = follower.Known(), [follower.Known()]
    for step in history["steps"]:
        for event in step:
            known.take(event)
        states.append(known.copy())
    return states


def expectation(known, flow):
    source, destination, number, protocol = flow
    allowed = oracle.allowed(
        known.objects(), oracle.parse_address(source),
        oracle.parse_address(destination), protocol, number)
    return "%s -> %s  %d/%s  %s\n" % (source, destination, number, protocol,
                                      "allow" if allowed else "deny")


def vector(history, failure, origin):
    """The text of a vector file."""
    flow = failure.flow or shrink.ANY_FLOW
    states = states_of(history)
    document = {"title": "found by tests/oracle: %s" % failure.kind,
                "origin": origin}
    if history["node"]:
        document["notes"] = "only with the pods of %s as endpoints" % (
            history["node"])
    steps = [{**changes(before, after), "flows": expectation(after, flow)}
             for before, after in zip(states, states[1:])]
    for kind in [*KINDS.values(), "ending"]:
        if kind in steps[0]:
            document[kind] = steps[0].pop(kind)
    document["steps"] = steps
    return "# SPDX-License-Identifier: Apache-2.0\n" + yaml.dump(
        document, Dumper=Style, sort_keys=False, default_flow_style=None,
        width=100)


def history_of(steps):
    """The steps of a vector as events."""
    told, before = [], {}
    for step in steps:
        after = {follower.name_of(obj): obj for obj in step.served}
        events = [{"type": "DELETED", "object": obj}
                  for name, obj in before.items() if name not in after]
        events += [{"type": "MODIFIED" if name in before else "ADDED",
                    "object": obj}
                   for name, obj in after.items() if before.get(name) != obj]
        told.append(events)
        before = after
    return {"node": None, "steps": told}


def read_back(path):
    """The history that a vector file tells."""
    return history_of(vectors.steps_of(path))
