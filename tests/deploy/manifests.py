# SPDX-License-Identifier: Apache-2.0
"""The manifests of deploy/: what a pod may do, and that a server takes them."""
import functools
import glob
import json
import os
import subprocess
import tempfile

import yaml

from cases import UNREACHABLE, Skipped, check, path, run, same, test

OVERLAYS = ("audit", "azure", "azure-audit", "aks-engine", "startup-taint")
# Of each container: its capabilities, its user, and which folders of the node it
# has; those ending in ! it may write to.
ALLOWED = {
    "knpd/build": ([], 65534, ["/lib/modules", "/usr"]),
    "knpd/module": (["SYS_MODULE"], 0, ["/lib/modules"]),
    "knpd/cni": ([], 0, ["/etc/cni/net.d!", "/opt/cni/bin!"]),
    "knpd/knpd": (["NET_ADMIN"], 0, ["/run/knp!", "/var/lib/knp!"]),
    "knp-uninstall/cni": ([], 0, ["/etc/cni/net.d!"]),
    "knp-uninstall/detach": (["NET_ADMIN"], 0, ["/run/knp!", "/var/lib/knp!"]),
    "knp-uninstall/unload": (["SYS_MODULE"], 0, []),
    "knp-uninstall/done": ([], 65534, []),
}


@functools.lru_cache
def programs():
    """The folder of the cluster's servers and of kubectl."""
    done = subprocess.run([path("tests/cluster/build")], check=False,
                          stdin=subprocess.DEVNULL, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if done.returncode == UNREACHABLE:
        raise Skipped(done.stderr.strip().splitlines()[-1])
    check(not done.returncode, done.stderr)
    return done.stdout.strip()


@functools.lru_cache
def rendered(folder):
    """What kubectl makes of a kustomization."""
    status, said = run(os.path.join(programs(), "kubectl"), "kustomize",
                       path(folder))
    same(status, 0, said)
    return said


def read(name):
    with open(path(name), encoding="utf-8") as file:
        return file.read()


def daemonset(text):
    found, = [o for o in yaml.safe_load_all(text) if o["kind"] == "DaemonSet"]
    return found


def pod_of(text):
    return daemonset(text)["spec"]["template"]["spec"]


def containers(pod):
    return pod.get("initContainers", []) + pod["containers"]


def container(pod, name):
    found, = [c for c in containers(pod) if c["name"] == name]
    return found


def folders(pod, one):
    """Of the node that a container has."""
    at = {v["name"]: v["hostPath"]["path"] for v in pod["volumes"]
          if "hostPath" in v}
    return sorted(at[m["name"]] + ("" if m.get("readOnly") else "!")
                  for m in one.get("volumeMounts", []) if m["name"] in at)


@test
def each_container_may_do_what_it_is_for_and_no_more():
    seen = {}
    for name in ("deploy/knp.yaml", "deploy/uninstall.yaml"):
        owner = daemonset(read(name))["metadata"]["name"]
        pod = pod_of(read(name))
        for one in containers(pod):
            security = {**pod["securityContext"], **one["securityContext"]}
            same(security["capabilities"]["drop"], ["ALL"], "dropped")
            for field, wanted in (("allowPrivilegeEscalation", False),
                                  ("readOnlyRootFilesystem", True),
                                  ("seccompProfile",
                                   {"type": "RuntimeDefault"})):
                same(security[field], wanted, one["name"] + "." + field)
            check("privileged" not in security, "privileged")
            seen[owner + "/" + one["name"]] = (
                security["capabilities"].get("add", []),
                security["runAsUser"], folders(pod, one))
        for field in ("hostPID", "hostIPC", "hostUsers"):
            check(field not in pod, field)
        same(pod["hostNetwork"], True, "the node's network")
    same(seen, ALLOWED, "containers")


@test
def only_knpd_has_a_token():
    pod = pod_of(read("deploy/knp.yaml"))
    check(pod["automountServiceAccountToken"] is False, "mounted by default")
    same([c["name"] for c in containers(pod)
          if any(m["name"] == "token" for m in c.get("volumeMounts", []))],
         ["knpd"], "who has the token")
    mount, = [m for m in container(pod, "knpd")["volumeMounts"]
              if m["name"] == "token"]
    check(mount["readOnly"], "it is read only")
    volume, = [v for v in pod["volumes"] if v["name"] == "token"]
    same(volume["projected"]["defaultMode"], 0o400, "its mode")
    other = pod_of(read("deploy/uninstall.yaml"))
    check(other["automountServiceAccountToken"] is False, "uninstall has none")
    check("serviceAccountName" not in other, "nor an account")


@test
def its_role_reads_three_resources():
    roles = [o for o in yaml.safe_load_all(read("deploy/knp.yaml"))
             if o["kind"] in ("Role", "ClusterRole")]
    same([role["rules"] for role in roles], [[
        {"apiGroups": [""], "resources": ["pods", "namespaces"],
         "verbs": ["list", "watch"]},
        {"apiGroups": ["networking.k8s.io"], "resources": ["networkpolicies"],
         "verbs": ["list", "watch"]}]], "rules")


@test
def only_who_adds_nodes_may_take_their_taint():
    objects = list(yaml.safe_load_all(read("deploy/startup-taint.yaml")))
    same({o["kind"]: o["rules"] for o in objects if "rules" in o}, {
        "ClusterRole": [{"apiGroups": [""], "resources": ["nodes"],
                         "verbs": ["get", "list", "patch"]}],
        "Role": [{"apiGroups": [""], "resources": ["pods"],
                  "verbs": ["get", "list", "watch"]}]}, "rules")
    same({o["subjects"][0]["name"] for o in objects if "subjects" in o},
         {"knp-startup"}, "whose they are")


@test
def it_runs_everywhere_and_is_replaced_node_by_node():
    spec = daemonset(read("deploy/knp.yaml"))["spec"]
    same(spec["updateStrategy"], {"type": "RollingUpdate", "rollingUpdate": {
        "maxUnavailable": 1}}, "updateStrategy")
    pod = spec["template"]["spec"]
    same(pod["tolerations"], [{"operator": "Exists"}], "tolerations")
    same(pod["priorityClassName"], "system-node-critical", "priority")
    check("lifecycle" not in container(pod, "knpd"),
          "nothing may end enforcement with the pod")
    same(pod_of(read("deploy/uninstall.yaml"))["tolerations"],
         pod["tolerations"], "uninstall goes to the same nodes")


@test
def no_probe_asks_the_api_server():
    knpd = container(pod_of(read("deploy/knp.yaml")), "knpd")
    for probe, at in (("livenessProbe", "/healthz"),
                      ("readinessProbe", "/readyz")):
        same(knpd[probe]["httpGet"],
             {"host": "127.0.0.1", "port": 10097, "path": at}, probe)


@test
def images_are_of_this_version():
    version = read("VERSION").strip()
    for name in ("deploy/knp.yaml", "deploy/uninstall.yaml"):
        for one in containers(pod_of(read(name))):
            image = "knp-build" if one["name"] == "build" else "knp"
            same((one["image"], one["imagePullPolicy"]),
                 ("localhost/%s:%s" % (image, version), "IfNotPresent"),
                 one["name"])


@test
def audit_drops_nothing_and_delays_nothing():
    pod = pod_of(rendered("deploy/overlays/audit"))
    base = pod_of(read("deploy/knp.yaml"))
    same(container(pod, "knpd")["args"],
         ["--in-cluster", "--node=$(NODE_NAME)", "--mode=audit"], "knpd")
    same(container(pod, "cni")["command"], ["/usr/bin/knp-cni", "--uninstall"],
         "the chain is as it was before knp")
    for one, name in ((pod, "knpd"), (base, "knpd")):
        container(one, name).pop("args")
    for one in (pod, base):
        container(one, "cni").pop("command")
    same(pod, base, "everything else")


@test
def azure_lets_the_load_balancer_probe():
    base = container(pod_of(read("deploy/knp.yaml")), "knpd")["args"]
    audit = container(pod_of(rendered("deploy/overlays/audit")), "knpd")["args"]
    for overlay, args in (("azure", base), ("azure-audit", audit)):
        pod = pod_of(rendered("deploy/overlays/" + overlay))
        same(container(pod, "knpd")["args"], args + [
            "--allow-lb-probes", "--npm-config=/etc/azure-npm/azure-npm.json"],
             overlay)
        same([v["configMap"] for v in pod["volumes"] if "configMap" in v],
             [{"name": "azure-npm-config", "optional": True}], overlay)


def server_script(files):
    """What tests/cluster/up runs. It has made an account of its own."""
    return "\n".join(
        ["set -e", "kubectl delete --wait -f %s >/dev/null" %
         path("deploy/base/rbac.yaml")] +
        ["kubectl apply --validate=strict --warnings-as-errors -f " + file
         for file in files])


@test
def a_real_api_server_takes_them():
    programs()
    files = [path("deploy/" + name) for name in
             ("knp.yaml", "uninstall.yaml", "startup-taint.yaml")]
    with tempfile.TemporaryDirectory() as folder:
        for overlay in OVERLAYS:
            files.append(os.path.join(folder, overlay + ".yaml"))
            with open(files[-1], "w", encoding="utf-8") as file:
                file.write(rendered("deploy/overlays/" + overlay))
        status, said = run(path("tests/cluster/up"), "bash", "-c",
                           server_script(files))
    same(status, 0, said)
    same(said.count("daemonset.apps/knpd"), 1 + len(OVERLAYS), said)


def bundles(manifest, owner, folder):
    status, said = run(path("tests/deploy/bundle.py"), "--node", "n1",
                       path(manifest), "DaemonSet/" + owner, "/i", folder)
    same(status, 0, said)
    made = {}
    for name in glob.glob(folder + "/*/config.json"):
        with open(name, encoding="utf-8") as file:
            made[os.path.basename(os.path.dirname(name))] = json.load(file)
    return made


@test
def what_a_runtime_is_told_is_what_the_manifest_says():
    with tempfile.TemporaryDirectory() as folder:
        made = bundles("deploy/knp.yaml", "knpd", folder)
        with open(folder + "/order", encoding="utf-8") as file:
            same(file.read().split(), ["build", "module", "cni", "knpd"],
                 "the order")
    for name, config in made.items():
        added, user, at = ALLOWED["knpd/" + name]
        process = config["process"]
        wanted = ["CAP_" + one for one in added]
        same(process["capabilities"], {
            "bounding": wanted, "effective": wanted, "permitted": wanted}, name)
        same((process["user"]["uid"], process["noNewPrivileges"],
              config["root"]["readonly"]), (user, True, True), name)
        same(sorted(m["source"] + ("!" if "rw" in m["options"] else "")
                    for m in config["mounts"] if m["type"] == "bind" and
                    not m["source"].startswith("/run/pod")), at, name)
        allowed = [word for rule in config["linux"]["seccomp"]["syscalls"]
                   for word in rule["names"]
                   if rule["action"] == "SCMP_ACT_ALLOW"]
        same("finit_module" in allowed, name == "module",
             "%s may load modules" % name)
        check("network" not in [n["type"] for n in
                                config["linux"]["namespaces"]], name)
    same(made["knpd"]["process"]["args"][2], "--node=n1", "the node's name")
