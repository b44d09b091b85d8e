#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Makes OCI bundles of a manifest's containers, as a kubelet with containerd would.

usage: tests/deploy/bundle.py [--node NAME] [--env NAME=VALUE]... [--state DIR]
                              [--only CONTAINER] MANIFEST KIND/NAME IMAGES OUT

OUT/CONTAINER/config.json is made for each container and init container, and
OUT/order says in which order they run, the main ones last. The root of a
container is the folder of its image's name in IMAGES (knp, knp-build); that of a
bundle is where it is run. hostPath volumes are the host's, emptyDir and projected
ones folders in DIR, by their names.

Only what the manifests of deploy/ have is understood; any other field that a
kubelet would act on is an error, so that none is overlooked. What is not in a
manifest is containerd's: see PROCESS, MASKED, READONLY, and the seccomp profile
that RuntimeDefault stands for, which seccomp/main.go has printed.
"""
import argparse
import json
import os
import sys

import yaml

HERE = os.path.dirname(os.path.abspath(__file__))
PATH = "PATH=/usr/sbin:/usr/bin:/sbin:/bin"
# Profiles differ by these capabilities only.
PROFILES = {False: "base.json", True: "sys-module.json"}
KNOWN = {"NET_ADMIN", "SYS_MODULE"}
MASKED = ["/proc/acpi", "/proc/asound", "/proc/kcore", "/proc/keys",
          "/proc/latency_stats", "/proc/timer_list", "/proc/timer_stats",
          "/proc/sched_debug", "/proc/scsi", "/sys/firmware"]
READONLY = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys",
            "/proc/sysrq-trigger"]
MOUNTS = [
    ("/proc", "proc", "proc", ["nosuid", "noexec", "nodev"]),
    ("/dev", "tmpfs", "tmpfs", ["nosuid", "strictatime", "mode=755",
                                "size=65536k"]),
    ("/dev/pts", "devpts", "devpts", ["nosuid", "noexec", "newinstance",
                                      "ptmxmode=0666", "mode=0620"]),
    ("/dev/shm", "tmpfs", "shm", ["nosuid", "noexec", "nodev", "mode=1777",
                                  "size=65536k"]),
    ("/sys", "sysfs", "sysfs", ["nosuid", "noexec", "nodev", "ro"]),
]
POD_FIELDS = {
    "automountServiceAccountToken", "containers", "dnsPolicy",
    "enableServiceLinks", "hostNetwork", "initContainers",
    "nodeSelector", "priorityClassName", "securityContext", "serviceAccountName",
    "terminationGracePeriodSeconds", "tolerations", "volumes"}
CONTAINER_FIELDS = {
    "args", "command", "env", "image", "imagePullPolicy", "livenessProbe",
    "name", "readinessProbe", "resources", "securityContext", "startupProbe",
    "volumeMounts"}
SECURITY_FIELDS = {
    "allowPrivilegeEscalation", "capabilities", "readOnlyRootFilesystem",
    "runAsGroup", "runAsNonRoot", "runAsUser", "seccompProfile"}


class Unknown(Exception):
    """Something that a kubelet would act on, and this does not."""


def only(what, fields, known):
    unknown = set(fields) - known
    if unknown:
        raise Unknown("%s: %s" % (what, ", ".join(sorted(unknown))))


def mebibytes(text):
    if not text.endswith("Mi"):
        raise Unknown("memory: " + text)
    return int(text[:-2]) << 20


class Pod:
    """A pod template on a node."""

    def __init__(self, spec, options):
        only("pod", spec, POD_FIELDS)
        if not spec.get("hostNetwork"):
            raise Unknown("a pod with a network of its own")
        self.spec, self.options = spec, options
        self.security = spec.get("securityContext", {})

    def volume(self, name):
        """The folder on the host."""
        volume, = [v for v in self.spec["volumes"] if v["name"] == name]
        only("volume", volume, {"name", "hostPath", "emptyDir", "projected"})
        if "hostPath" in volume:
            return volume["hostPath"]["path"]
        return os.path.join(self.options.state, name)

    def environment(self, container):
        values = dict(pair.split("=", 1) for pair in self.options.env)
        for entry in container.get("env", []):
            if entry.get("valueFrom") not in (None, {
                    "fieldRef": {"fieldPath": "spec.nodeName"}}):
                raise Unknown("env: %s" % entry)
            values[entry["name"]] = entry.get("value", self.options.node)
        return values

    def process(self, container, security):
        environment = self.environment(container)
        words = container["command"] + container.get("args", [])
        for name, value in environment.items():
            words = [word.replace("$(%s)" % name, value) for word in words]
        user = security.get("runAsUser", 0)
        if security.get("runAsNonRoot") and not user:
            raise ValueError("%s: root" % container["name"])
        capabilities = security.get("capabilities", {})
        if capabilities.get("drop") != ["ALL"]:
            raise Unknown("a container that keeps capabilities")
        added = capabilities.get("add", [])
        only("capabilities", added, KNOWN)
        names = ["CAP_" + name for name in added]
        return {
            "terminal": False, "cwd": "/", "args": words,
            "user": {"uid": user, "gid": security.get("runAsGroup", user)},
            "env": [PATH] + ["%s=%s" % pair for pair in environment.items()],
            "capabilities": {"bounding": names, "effective": names,
                             "permitted": names},
            "noNewPrivileges":
                not security.get("allowPrivilegeEscalation", True)}

    def mounts(self, container):
        entries = [{"destination": to, "type": kind, "source": source,
                    "options": options}
                   for to, kind, source, options in MOUNTS]
        for mount in container.get("volumeMounts", []):
            only("volumeMount", mount, {"name", "mountPath", "readOnly"})
            entries.append({
                "destination": mount["mountPath"], "type": "bind",
                "source": self.volume(mount["name"]),
                "options": ["rbind", "rprivate",
                            "ro" if mount.get("readOnly") else "rw"]})
        return entries

    @staticmethod
    def seccomp(security):
        if security.get("seccompProfile") != {"type": "RuntimeDefault"}:
            raise Unknown("seccomp: %s" % security.get("seccompProfile"))
        loads = "SYS_MODULE" in security["capabilities"].get("add", [])
        with open(os.path.join(HERE, "seccomp", PROFILES[loads]),
                  encoding="ascii") as file:
            return json.load(file)

    def linux(self, container, security):
        limits = container.get("resources", {}).get("limits", {})
        only("limits", limits, {"memory"})
        resources = {"devices": [{"allow": False, "access": "rwm"}]}
        if limits:
            resources["memory"] = {"limit": mebibytes(limits["memory"])}
        return {
            # hostNetwork: the network and the name are the node's
            "namespaces": [{"type": kind} for kind in
                           ("pid", "ipc", "mount", "cgroup")],
            "resources": resources, "seccomp": self.seccomp(security),
            "maskedPaths": MASKED, "readonlyPaths": READONLY}

    def bundle(self, container):
        """config.json of a container."""
        only("container", container, CONTAINER_FIELDS)
        security = {**self.security, **container.get("securityContext", {})}
        only("securityContext", security, SECURITY_FIELDS)
        image = container["image"].rsplit("/", 1)[1].split(":")[0]
        return {
            "ociVersion": "1.0.2",
            "process": self.process(container, security),
            "root": {"path": os.path.join(self.options.images, image),
                     "readonly":
                         security.get("readOnlyRootFilesystem", False)},
            "mounts": self.mounts(container),
            "linux": self.linux(container, security)}

    def containers(self):
        return self.spec.get("initContainers", []) + self.spec["containers"]


def template_of(path, kind, name):
    with open(path, encoding="utf-8") as file:
        found, = [obj for obj in yaml.safe_load_all(file)
                  if (obj["kind"], obj["metadata"]["name"]) == (kind, name)]
    return found["spec"]["template"]["spec"]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--node", default="node")
    parser.add_argument("--env", action="append", default=[])
    parser.add_argument("--state", default="/run/pod")
    parser.add_argument("--only")
    for name in ("manifest", "object", "images", "out"):
        parser.add_argument(name)
    options = parser.parse_args()
    pod = Pod(template_of(options.manifest, *options.object.split("/")), options)
    order = []
    for container in pod.containers():
        if options.only not in (None, container["name"]):
            continue
        order.append(container["name"])
        folder = os.path.join(options.out, container["name"])
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, "config.json"), "w",
                  encoding="utf-8") as file:
            json.dump(pod.bundle(container), file, indent=1)
    with open(os.path.join(options.out, "order"), "w",
              encoding="utf-8") as file:
        file.write("\n".join(order) + "\n")


if __name__ == "__main__":
    try:
        main()
    except (Unknown, ValueError) as error:
        sys.exit("tests/deploy/bundle.py: %s" % error)
