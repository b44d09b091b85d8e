# SPDX-License-Identifier: Apache-2.0
"""Test vectors: files -> the API objects of every step, and what is expected.

README.md describes the format. Nothing here knows what a policy means.
"""
import copy
import glob
import os

import yaml

HERE = os.path.dirname(os.path.abspath(__file__))
NAME_LABEL = "kubernetes.io/metadata.name"
CELLS = {".": True, "X": False, "-": None}
WORDS = {"allow": True, "deny": False, "none": None}
FIELDS = {
    "vector": {"title", "origin", "notes", "namespaces", "ending", "pods",
               "policies", "steps"},
    "step": {"what", "namespaces", "ending", "pods", "policies", "expect",
             "flows", "says"},
    "pod": {"ip", "labels", "ports", "sidecar", "init", "host", "phase",
            "created", "uid", "node", "deleting"},
}


class Mistake(Exception):
    """A vector that does not follow the format."""


def check_fields(where, kind, value):
    """A field that nobody reads is an expectation that nobody checks."""
    unknown = set(value) - FIELDS[kind]
    if unknown:
        raise Mistake("%s: unknown field %s" % (where, min(unknown)))


class Strict(yaml.SafeLoader):
    """Refuses a key that is there twice, which PyYAML takes silently."""

    def construct_mapping(self, node, deep=False):
        keys = [self.construct_object(key, deep=True)
                for key, _ in node.value]
        if len(keys) != len(set(keys)):
            raise Mistake("%s: a key is there twice" % node.start_mark)
        return super().construct_mapping(node, deep)


def load_yaml(path):
    with open(path, encoding="utf-8") as file:
        try:
            return yaml.load(file, Strict)
        except yaml.YAMLError as error:
            raise Mistake("%s: %s" % (path, " ".join(str(error).split()))) \
                from None


def container(name, texts):
    """["http 80/TCP", "8080"] -> a container with these ports."""
    ports = []
    for text in texts:
        *names, number = str(text).split()
        number, _, protocol = number.partition("/")
        port = {"containerPort": int(number)}
        if names:
            port["name"] = names[0]
        if protocol:
            port["protocol"] = protocol
        ports.append(port)
    return {"name": name, "image": "none", "ports": ports}


def pod_object(full, pod):
    check_fields(full, "pod", pod)
    ns, name = full.split("/")
    meta = {"name": name, "namespace": ns, "labels": pod.get("labels", {})}
    for key, field in (("created", "creationTimestamp"), ("uid", "uid"),
                       ("deleting", "deletionTimestamp")):
        if key in pod:
            meta[field] = pod[key]
    # Ports in two containers: a name may be in any of them.
    ports = pod.get("ports", [])
    spec = {"nodeName": pod.get("node", "node-1"),
            "containers": [container("main", ports[:1]),
                           container("more", ports[1:])]}
    init = []
    if "init" in pod:
        init.append(container("init", pod["init"]))
    if "sidecar" in pod:
        init.append(dict(container("sidecar", pod["sidecar"]),
                         restartPolicy="Always"))
    if init:
        spec["initContainers"] = init
    if pod.get("host"):
        spec["hostNetwork"] = True
    status = {"phase": pod.get("phase", "Running")}
    ips = pod.get("ip", [])
    ips = ips if isinstance(ips, list) else [ips]
    if ips:
        status["podIP"] = ips[0]
        status["podIPs"] = [{"ip": ip} for ip in ips]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta,
            "spec": spec, "status": status}


def namespace_object(name, labels, ends):
    meta = {"name": name, "labels": labels}
    if ends:
        meta["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": meta}


def policy_object(full, spec):
    ns, name = full.split("/")
    return {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
            "metadata": {"name": name, "namespace": ns}, "spec": spec}


def parse_probe(text):
    number, protocol = text.split("/")
    return int(number), protocol


def parse_matrix(where, text):
    """The picture -> {from: {to: verdict}}."""
    lines = [line.split() for line in text.splitlines() if line.strip()]
    if not lines or lines[0][0] != "from":
        raise Mistake("%s: the first line must begin with from" % where)
    columns = lines[0][1:]
    matrix = {}
    for row in lines[1:]:
        if len(row) != len(columns) + 1 or row[0] in matrix:
            raise Mistake("%s: bad line of %s" % (where, row[0]))
        try:
            matrix[row[0]] = {to: CELLS[cell]
                              for to, cell in zip(columns, row[1:])}
        except KeyError as bad:
            raise Mistake("%s: no cell %s" % (where, bad)) from None
    if list(matrix) != columns:
        raise Mistake("%s: lines and columns differ" % where)
    return matrix


def parse_flows(where, text):
    """Lines "from -> to port/protocol verdict [side by]"."""
    flows = []
    for line in text.splitlines():
        words = line.split("#")[0].split()
        if not words:
            continue
        if len(words) < 5 or words[1] != "->" or words[4] not in WORDS:
            raise Mistake("%s: bad flow: %s" % (where, line))
        flows.append((words[0], words[2], *parse_probe(words[3]),
                      WORDS[words[4]], words[5:]))
    return flows


class Step:
    """The state after one step, as API objects, and what is expected.

    @served: what a server has. @objects: what holds, which is more if policies
    outlive their objects.
    """

    def __init__(self, title, state, step):
        self.title = title
        self.served = (
            [namespace_object(name, labels, name in state["ending"])
             for name, labels in state["namespaces"].items()] +
            [pod_object(name, pod) for name, pod in state["pods"].items()] +
            [policy_object(name, spec)
             for name, spec in state["policies"].items()
             if name not in state["held"]])
        self.objects = self.served + [
            policy_object(name, state["policies"][name])
            for name in state["held"]]
        self.matrices = [(*parse_probe(probe), parse_matrix(title, text))
                         for probe, text in step.get("expect", {}).items()]
        self.flows = parse_flows(title, step.get("flows", ""))
        self.says = step.get("says")
        for _, _, matrix in self.matrices:
            if set(matrix) != set(state["pods"]):
                raise Mistake("%s: the matrix must have every pod" % title)
        if not self.matrices and not self.flows:
            raise Mistake("%s: nothing is expected" % title)


def steps_of(path):
    """All steps of one vector."""
    vector = load_yaml(path)
    where = os.path.relpath(path, HERE)
    check_fields(where, "vector", vector)
    state = {kind: copy.deepcopy(vector.get(kind) or {})
             for kind in ("namespaces", "pods", "policies")}
    state["ending"], state["held"] = vector.get("ending") or [], []
    steps = []
    for number, step in enumerate(vector["steps"]):
        check_fields(where, "step", step)
        state["ending"] = step.get("ending", state["ending"])
        for kind in ("namespaces", "pods", "policies"):
            objects = state[kind]
            for name, value in (step.get(kind) or {}).items():
                if kind == "policies" and name in state["held"]:
                    state["held"].remove(name)
                if value == "held":
                    state["held"].append(name)
                elif value is None:
                    del objects[name]
                elif kind == "pods":
                    objects[name] = {**objects.get(name, {}), **value}
                else:
                    objects[name] = value
        title = "%s: %s" % (where[:-len(".yaml")], vector["title"])
        if len(vector["steps"]) > 1 or "what" in step:
            title += ": " + step.get("what", "step %d" % (number + 1))
        steps.append(Step(title, state, step))
    return steps


def steps_in(*folders):
    """All steps of the vectors of some folders."""
    paths = []
    for folder in folders:
        found = sorted(glob.glob(os.path.join(HERE, folder, "*.yaml")))
        if not found:
            raise Mistake("no vectors in %s" % folder)
        paths += found
    return [step for path in paths for step in steps_of(path)]


def all_steps():
    """Those of whole objects, which the oracle knows, too."""
    return steps_in("upstream", "own")


def aside_steps():
    """Those of objects that cannot be read in full."""
    steps = steps_in("aside")
    for step in steps:
        if step.says is None:
            raise Mistake("%s: what does it say?" % step.title)
    return steps


def bad_manifests():
    """[(title, file name, text, what must be said)]"""
    cases = []
    for path in sorted(glob.glob(os.path.join(HERE, "bad", "*.yaml"))):
        for case in load_yaml(path):
            if set(case) - {"title", "file", "text", "says"}:
                raise Mistake("%s: %s: unknown field" % (path, case["title"]))
            says = case["says"]
            cases.append((case["title"], case.get("file", "bad.yaml"),
                          case["text"],
                          says if isinstance(says, list) else [says]))
    if not cases:
        raise Mistake("no bad manifests")
    return cases


# ---- two forms of the same objects -----------------------------------------

def without_empty(value):
    """What "omitempty" leaves: null and [] are not on the wire."""
    if isinstance(value, dict):
        return {key: without_empty(item) for key, item in value.items()
                if item is not None and item != []}
    if isinstance(value, list):
        return [without_empty(item) for item in value]
    return value


def as_stored(objects):
    """As an API server hands them out: empty lists gone, defaults written."""
    result = []
    for original in objects:
        obj = without_empty(copy.deepcopy(original))
        if obj["kind"] == "Namespace":
            obj["metadata"]["labels"][NAME_LABEL] = obj["metadata"]["name"]
        elif obj["kind"] == "Pod":
            for group in ("containers", "initContainers"):
                for one in obj["spec"].get(group, []):
                    for port in one.get("ports", []):
                        port.setdefault("protocol", "TCP")
        else:
            spec = obj["spec"]
            spec.setdefault("podSelector", {})
            if "policyTypes" not in spec:
                spec["policyTypes"] = ["Ingress"]
                if "egress" in spec:
                    spec["policyTypes"].append("Egress")
            for rule in spec.get("ingress", []) + spec.get("egress", []):
                for port in rule.get("ports", []):
                    port.setdefault("protocol", "TCP")
        result.append(obj)
    return result
