# SPDX-License-Identifier: Apache-2.0
"""Runs "knpctl simulate" on API objects and reads its answers."""
import json
import os
import shutil
import subprocess
import tempfile

import yaml

TOP = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
BUILD = os.path.join(TOP, os.environ.get("BUILD", "build"))
KNPCTL = os.environ.get("KNPCTL") or os.path.join(BUILD, "knpctl")
TIMEOUT = 60


class Failure(Exception):
    """knpctl did not answer, or not in the way that was agreed on."""


class Plain(yaml.SafeDumper):
    def ignore_aliases(self, data):
        return True


def write_yaml(folder, name, objects):
    with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
        yaml.dump_all(objects, file, Dumper=Plain, explicit_start=True)


def write_list(folder, name, objects):
    with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
        json.dump({"apiVersion": "v1", "kind": "List", "items": objects},
                  file, indent=1)


class Folder:
    """A folder for manifests under build/, gone at the end unless kept."""

    def __init__(self, stage):
        parent = os.path.join(BUILD, stage)
        os.makedirs(parent, exist_ok=True)
        self.path = tempfile.mkdtemp(prefix="", dir=parent)
        self.kept = False

    def __enter__(self):
        return self

    def __exit__(self, *error):
        if not self.kept:
            shutil.rmtree(self.path)


def call(arguments):
    """(exit status, stdout, stderr) of knpctl simulate."""
    try:
        done = subprocess.run(
            [KNPCTL, "simulate", *arguments], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=TIMEOUT,
            check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Failure("cannot run %s: %s" % (KNPCTL, error)) from None
    return (done.returncode, done.stdout.decode("utf-8", "replace"),
            done.stderr.decode("utf-8", "replace"))


def answer(arguments):
    """The JSON of a call that must succeed, and its text."""
    status, out, err = call([*arguments, "-o", "json"])
    command = "knpctl simulate " + " ".join([*arguments, "-o", "json"])
    if status != 0:
        raise Failure("%s: status %d\n%s" % (command, status, err.strip()))
    try:
        return json.loads(out), out
    except ValueError as error:
        raise Failure("%s: no JSON: %s\n%s" % (command, error,
                                               out[:500])) from None


def matrix(path, number, protocol, *more):
    """{from: {to: verdict}}, the text; pods without a verdict are None."""
    found, text = answer(["-f", path, "--matrix", "--port",
                          "%d/%s" % (number, protocol), *more])
    if (not isinstance(found, dict) or found.get("port") != number or
            found.get("protocol") != protocol or
            not isinstance(found.get("allowed"), dict)):
        raise Failure("no matrix of %d/%s: %s" % (number, protocol,
                                                  text[:500]))
    return found["allowed"], text


def flow(path, source, destination, number, protocol, *more):
    """The whole answer about one connection."""
    found, text = answer(["-f", path, "--from", source, "--to", destination,
                          "--port", "%d/%s" % (number, protocol), *more])
    if not isinstance(found, dict) or not isinstance(found.get("allowed"),
                                                     bool):
        raise Failure("no verdict: %s" % text[:500])
    for side in ("egress", "ingress"):
        if not isinstance(found.get(side), dict):
            raise Failure("no %s: %s" % (side, text[:500]))
    return found


def matrix_differences(want, got):
    """Lines that say where a matrix is not as expected.

    A pod that has no verdicts may be null or left out.
    """
    lines = []
    for source in sorted(set(want) | set(got)):
        if source not in want:
            lines.append("%s -> *: nothing wanted, got %s" %
                         (source, got[source]))
            continue
        line = got.get(source) or {}
        for destination in sorted(set(want[source]) | set(line)):
            expected = want[source].get(destination)
            found = line.get(destination)
            if expected is not found:
                lines.append("%s -> %s: want %s, got %s" %
                             (source, destination, expected, found))
    return lines
