# SPDX-License-Identifier: Apache-2.0
"""knpd with the ConfigMap of Azure NPM."""
import json
import os
import tempfile

from cases import BUILD, check, run, same, test

PORT = 10091
SETTINGS = {
    "ResyncPeriodInMinutes": 15, "ListeningPort": PORT,
    "ListeningAddress": "0.0.0.0", "LogLevel": "debug", "Nonsense": 1,
    "Toggles": {"EnablePrometheusMetrics": True, "EnablePprof": True}}
# In a network of its own. The last lines are the answers.
SCRIPT = """
ip link set lo up
%(knpd)s --manifests %(folder)s/m --node n --runtime-dir %(folder)s/run \\
	--backend null:%(folder)s/commits --npm-config %(file)s 2>%(folder)s/log &
until curl -s http://127.0.0.1:10097/healthz >/dev/null; do
	kill -0 $! || break
	sleep 0.05
done
for at in 127.0.0.1:10097 127.0.0.1:%(port)d; do
	curl -s -o /dev/null -w "$at %%{http_code}\\n" http://$at/node-metrics
done
kill $!
wait $!
cat %(folder)s/log
"""


def started(text):
    """Whether each address answered, and what knpd said."""
    with tempfile.TemporaryDirectory() as folder:
        os.mkdir(folder + "/m")
        if text is not None:
            with open(folder + "/npm.json", "w", encoding="utf-8") as file:
                file.write(text)
        _, said = run("unshare", "--net", "bash", "-c", SCRIPT % {
            "knpd": BUILD + "/knpd", "folder": folder, "port": PORT,
            "file": folder + "/npm.json"}, timeout=60)
    answers = [line.split()[1] for line in said.splitlines()[:2]]
    return answers, said


@test
def settings_of_azure_npm_count():
    answers, said = started(json.dumps(SETTINGS))
    same(answers, ["200", "200"], "its port answers, on the loopback: " + said)
    for words in ("ResyncPeriodInMinutes means nothing here",
                  "EnablePprof means nothing here",
                  "Nonsense is no setting of Azure NPM",
                  "not at 0.0.0.0"):
        check(words in said, "%r is not in: %s" % (words, said))
    check("LogLevel" not in said and "ListeningPort" not in said, said)


@test
def azure_npm_without_metrics_opens_no_port():
    answers, said = started(json.dumps(
        dict(SETTINGS, Toggles={"EnablePrometheusMetrics": False})))
    same(answers, ["200", "000"], said)


@test
def settings_that_are_none_keep_knpd_from_nothing():
    for text, words in ((None, "No such file"), ("{", "no JSON object"),
                        ("", "no JSON object")):
        answers, said = started(text)
        same(answers, ["200", "000"], said)
        check(words in said, said)
