# SPDX-License-Identifier: Apache-2.0
"""knpd's account: its role from deploy/, its tokens, the files a pod of it has.

A token is bound to a Secret of its own, so that it can be taken back before it
expires: the server refuses it when the Secret is gone (it remembers a good
token for 10 s).
"""
import copy
import itertools
import os
import shutil

import pki
import yaml

HERE = os.path.dirname(os.path.abspath(__file__))
RBAC = os.path.join(HERE, "..", "..", "deploy", "base", "rbac.yaml")
# What `kubectl auth can-i --list` says to knpd's account, sorted.
GOLDEN = os.path.join(HERE, "can-i.golden")
CORE = "/api/v1/namespaces/kube-system"
ROLE = "/apis/rbac.authorization.k8s.io/v1/clusterroles/knpd"
# Where a pod finds them; the guest puts them there.
MOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"
TOKEN_SECONDS = 3600


def narrowed(rules, verb, resource):
    """The rules without one verb for one resource."""
    for rule in rules:
        for name in rule["resources"]:
            verbs = [v for v in rule["verbs"] if (v, name) != (verb, resource)]
            yield dict(copy.deepcopy(rule), resources=[name], verbs=verbs)


class Account:
    """knpd's ServiceAccount on the running servers."""

    def __init__(self, servers):
        self.servers = servers
        self.numbers = itertools.count(1)
        self.secret = None
        with open(RBAC, encoding="utf-8") as file:
            self.role = next(obj for obj in yaml.safe_load_all(file)
                             if obj["kind"] == "ClusterRole")
        status, said = servers.kubectl(["create", "-f", RBAC])
        if status:
            raise RuntimeError(said.decode())
        self.token_file = servers.file("knpd.token")
        self._keep(self._new_token())
        self.kubeconfig = servers.kubeconfig(
            "knpd.kubeconfig", {"tokenFile": self.token_file})

    def _new_token(self):
        name = "knpd-token-%d" % next(self.numbers)
        call = self.servers.client.call
        secret = call("POST", CORE + "/secrets", {
            "apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}})
        answer = call("POST", CORE + "/serviceaccounts/knpd/token", {
            "apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest",
            "spec": {"expirationSeconds": TOKEN_SECONDS, "boundObjectRef": {
                "kind": "Secret", "apiVersion": "v1", "name": name,
                "uid": secret["metadata"]["uid"]}}})
        self.secret = name
        return answer["status"]["token"]

    def _keep(self, token):
        with open(self.token_file, "w", encoding="ascii") as file:
            file.write(token)

    def rotate(self):
        """A new token; the old one will be refused within 10 s."""
        old = self.secret
        token = self._new_token()
        self._keep(token)
        self.servers.client.call("DELETE", "%s/secrets/%s" % (CORE, old))
        return token

    def _replace_role(self, rules):
        # Unversioned, so that it replaces whatever is there.
        self.servers.client.call("PUT", ROLE, dict(self.role, rules=rules))

    def without(self, verb, resource):
        """Takes one permission away."""
        rules = list(narrowed(self.role["rules"], verb, resource))
        if sum(len(rule["verbs"]) for rule in rules) == \
           sum(len(rule["verbs"]) * len(rule["resources"])
               for rule in self.role["rules"]):
            raise ValueError("the role has no %s of %s" % (verb, resource))
        self._replace_role([rule for rule in rules if rule["verbs"]])

    def restore(self):
        self._replace_role(self.role["rules"])

    def guest_files(self, folder):
        """What the guest needs to be a pod of this account, into a folder."""
        os.makedirs(folder)
        servers = self.servers
        for name in ("ca.crt", "other-ca.crt"):
            shutil.copy(servers.pki.file(name), folder)
        shutil.copy(self.token_file, os.path.join(folder, "token"))
        shutil.copy(GOLDEN, folder)
        for name, authority in (("kubeconfig", "ca.crt"),
                                ("other-ca.kubeconfig", "other-ca.crt")):
            os.replace(servers.kubeconfig(
                name, {"tokenFile": MOUNT + "/token"}, pki.GUEST_GATEWAY,
                MOUNT + "/" + authority), os.path.join(folder, name))
