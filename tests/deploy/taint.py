# SPDX-License-Identifier: Apache-2.0
"""The startup taint: knpd takes it from its node, and may do nothing else there."""
import json
import os
import tempfile

from cases import BUILD, path, run, same, test
from manifests import container, pod_of, programs, read, rendered

OVERLAY = "deploy/overlays/startup-taint"
TAINT = "node.knp.io/not-ready"
# What a thief of node1's token tries, and what it is told.
REFUSED = (
    ("node2", [{"op": "remove", "path": "/spec/taints/1"}],
     "knpd changes no node but its own"),
    ("node1", [{"op": "remove", "path": "/spec/taints/0"}],
     "takes the taint node.knp.io/not-ready, and no other"),
    ("node1", [{"op": "replace", "path": "/spec/taints/1/effect",
                "value": "NoExecute"}],
     "takes the taint node.knp.io/not-ready, and no other"),
    ("node1", [{"op": "add", "path": "/metadata/labels/role", "value": "x"}],
     "changes nothing of its node but taints"),
    ("node1", [{"op": "add", "path": "/metadata/annotations", "value": {"x": "y"}}],
     "changes nothing of its node but taints"),
    ("node1", [{"op": "add", "path": "/spec/unschedulable", "value": True}],
     "changes nothing of its node but taints"),
)
# As an administrator: the pod of knpd on node1, whose token it is.
POD = {"apiVersion": "v1", "kind": "Pod", "metadata": {
    "name": "knpd-1", "namespace": "kube-system"}, "spec": {
        "serviceAccountName": "knpd", "nodeName": "node1",
        "containers": [{"name": "c", "image": "none"}]}}
SETUP = """
set -e
kubectl delete --wait -f %(rbac)s >/dev/null
kubectl apply --validate=strict --warnings-as-errors -f %(manifest)s >/dev/null
for node in node1 node2; do
	kubectl label node $node kept=yes >/dev/null
	kubectl taint node $node kept=yes:NoSchedule %(taint)s:NoSchedule >/dev/null
done
kubectl create -f %(pod)s >/dev/null
token=$(kubectl -n kube-system create token knpd --bound-object-kind Pod \
	--bound-object-name knpd-1)
jq --arg token "$token" '.users[0].user = {$token}' $KNP_CLUSTER_KNPD >%(config)s
"""
# Rules of admission come into force a moment after they are made.
PATCHES = """
as_knpd() { kubectl --kubeconfig %(config)s "$@" 2>&1; }
try() {
	as_knpd patch node "$1" --type json -p "$2" --dry-run=server || true
}
for i in $(seq 100); do
	[[ $(try node1 '%(first)s') != *patched* ]] || { sleep 0.2; continue; }
	break
done
"""
FOLLOW = """
%(knpd)s --kubeconfig %(config)s --node node1 --startup-taint %(taint)s \
	--start-spread 0 --backend null:%(null)s --runtime-dir %(run)s --metrics none \
	2>&1 & pid=$!
for i in $(seq 150); do
	kubectl get node node1 -o json | grep -q %(taint)s || break
	sleep 0.1
done
kill $pid
wait $pid
kubectl get nodes -o json | jq -c '[.items[] | {(.metadata.name):
	[.spec.taints[].key | select(startswith("node.kubernetes.io/") | not)]}] |
	add'
"""


@test
def a_startup_taint_is_an_option_of_knpd():
    base = container(pod_of(read("deploy/knp.yaml")), "knpd")["args"]
    args = container(pod_of(rendered(OVERLAY)), "knpd")["args"]
    same(args, base + ["--startup-taint=" + TAINT], "arguments")


def words(folder):
    files = {name: os.path.join(folder, name) for name in
             ("manifest", "pod", "config", "null", "run")}
    with open(files["manifest"], "w", encoding="utf-8") as file:
        file.write(rendered(OVERLAY))
    with open(files["pod"], "w", encoding="utf-8") as file:
        json.dump(POD, file)
    return dict(files, rbac=path("deploy/base/rbac.yaml"), taint=TAINT,
                knpd=BUILD + "/knpd", first=json.dumps(REFUSED[1][1]))


@test
def knpd_takes_its_nodes_startup_taint_and_may_change_nothing_else():
    programs()
    with tempfile.TemporaryDirectory() as folder:
        script = SETUP + PATCHES + "".join(
            "\necho '== %s'; try %s '%s'" % (told, node, json.dumps(patch))
            for node, patch, told in REFUSED) + "\necho == knpd" + FOLLOW
        status, said = run(path("tests/cluster/up"), "bash", "-c",
                           script % words(folder))
    same(status, 0, said)
    parts = [part.partition("\n") for part in said.split("== ")[1:]]
    same([told for told, _, _ in parts],
         [told for _, _, told in REFUSED] + ["knpd"], said)
    for told, _, answer in parts[:-1]:
        same(told in answer and "denied" in answer, True, told + ": " + answer)
    same(parts[-1][2].splitlines()[-1],
         '{"node1":["kept"],"node2":["kept","%s"]}' % TAINT, said)
