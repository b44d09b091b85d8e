# SPDX-License-Identifier: Apache-2.0
"""The cluster definition for aks-engine, by the names, types and rules of its own."""
import base64
import copy
import filecmp
import json
import os
import tempfile

import jsonschema
import yaml

from cases import check, path, run, same, test
from manifests import programs, read, rendered

ADDON = "azure-npm-daemonset"
MODE = "addonmanager.kubernetes.io/mode"


def errors(definition):
    schema = json.loads(read("tests/deploy/aks-engine.schema.json"))
    jsonschema.Draft202012Validator.check_schema(schema)
    return [error.message for error in
            jsonschema.Draft202012Validator(schema).iter_errors(definition)]


def definition():
    return json.loads(read("deploy/azure/knp.json"))


def network(of):
    return of["properties"]["orchestratorProfile"]["kubernetesConfig"]


def addon(of):
    found, = [a for a in network(of)["addons"] if a["name"] == ADDON]
    return found


@test
def what_is_rendered_is_what_is_in_the_tree():
    programs()
    with tempfile.TemporaryDirectory() as folder:
        status, said = run(path("tests/deploy/render"), "--in", folder)
        same(status, 0, said)
        for name in ("knp.yaml", "azure/knp.json"):
            check(filecmp.cmp(os.path.join(folder, name),
                              path("deploy/" + name), shallow=False),
                  "deploy/%s is another (see \"make deploy\")" % name)


@test
def the_cluster_definition_is_one():
    same(errors(definition()), [], "what is wrong with it")


@test
def a_definition_that_is_none_is_noticed():
    for change, words in (
            (lambda d: network(d).update(networkPolicy="knp"), "knp"),
            (lambda d: network(d).update(netPolicy="azure"), "netPolicy"),
            (lambda d: addon(d).update(data=1), "string"),
            (lambda d: addon(d).update(containers=[{"name": "x"}]), "x"),
            (lambda d: addon(d).update(mode="Always"), "Always"),
            (lambda d: d["properties"]["masterProfile"].update(count=2), "2"),
            (lambda d: d["properties"].pop("linuxProfile"), "linuxProfile"),
            (lambda d: d["properties"]["agentPoolProfiles"][0].pop("vmSize"),
             "vmSize"),
            (lambda d: d.update(apiVersion="2016-09-30"), "vlabs")):
        broken = copy.deepcopy(definition())
        change(broken)
        check(any(words in error for error in errors(broken)),
              "%s, not a complaint about %s" % (errors(broken), words))


@test
def its_policy_addon_is_knp_on_azure_cni():
    of = definition()
    same((network(of)["networkPlugin"], network(of)["networkPolicy"]),
         ("azure", "azure"), "the network")
    check(addon(of)["enabled"], "it is enabled")
    data = base64.b64decode(addon(of)["data"], validate=True).decode()
    same(data, rendered("deploy/overlays/aks-engine"), "the addon")
    objects = list(yaml.safe_load_all(data))
    same(sorted(o["kind"] for o in objects),
         ["ClusterRole", "ClusterRoleBinding", "DaemonSet", "ServiceAccount"],
         "objects")
    same([o["metadata"]["labels"][MODE] for o in objects],
         [addon(of)["mode"]] * len(objects), "the addon manager's label")
    for one in objects:
        one["metadata"]["labels"].pop(MODE)
        if not one["metadata"]["labels"]:
            del one["metadata"]["labels"]
    same(objects, list(yaml.safe_load_all(rendered("deploy/overlays/azure"))),
         "everything else is the overlay azure")
