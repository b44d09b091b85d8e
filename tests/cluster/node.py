# SPDX-License-Identifier: Apache-2.0
"""What a guest needs to join as the cluster's only node.

The API server, on this machine's loopback, reaches the node's kubelet by a port
that QEMU forwards.
"""
import os

import pki
import servers as processes

NAME = "node1"
PROGRAMS = ("kube-proxy", "kubelet", "agnhost")
# Where the guest finds these files.
MOUNT = "/guest/host/node"


class Node:
    """Certificates and a port; the node itself is the guest's work."""

    def __init__(self, servers):
        self.servers = servers
        self.port = processes.free_port()
        servers.pki.sign("kubelet", "/CN=" + NAME, [
            "extendedKeyUsage=serverAuth", "subjectAltName=IP:127.0.0.1"])
        # The role of this user is one that every API server has.
        servers.pki.sign("proxy", "/CN=system:kube-proxy",
                         ["extendedKeyUsage=clientAuth"])

    def guest_files(self, folder):
        """Into a folder that is the guest's MOUNT. Programs are linked."""
        os.makedirs(folder)
        servers = self.servers
        for name in ("ca.crt", "kubelet.crt", "kubelet.key", "admin.crt",
                     "admin.key", "proxy.crt", "proxy.key"):
            os.symlink(servers.pki.file(name), os.path.join(folder, name))
        for name in PROGRAMS:
            os.symlink(os.path.join(servers.programs, name),
                       os.path.join(folder, name))
        for name, user in (("kubelet", "admin"), ("proxy", "proxy")):
            os.replace(servers.kubeconfig(name + ".kubeconfig", {
                "client-certificate": "%s/%s.crt" % (MOUNT, user),
                "client-key": "%s/%s.key" % (MOUNT, user)},
                pki.GUEST_GATEWAY, MOUNT + "/ca.crt"),
                os.path.join(folder, name + ".kubeconfig"))
        with open(os.path.join(folder, "external"), "w",
                  encoding="ascii") as file:
            file.write("127.0.0.1:%d\n" % self.port)
