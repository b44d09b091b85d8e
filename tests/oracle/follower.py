# SPDX-License-Identifier: Apache-2.0
"""A history, told to build/oracle/follower, and what it says against the oracle.

A history is {"node": NAME or None, "steps": [[EVENT, ...], ...]}; an event is a
watch event of the API, or {"type": "restart"}, or {"type": "forget"}. After
every step all questions are asked.

An event with "sent" sends that object, which cannot be read as a whole, in the
place of the one that the oracle knows. From then on a verdict may be "no" where
the oracle says "yes", never the other way round.
"""
import collections
import json
import os
import subprocess
import tempfile
import threading

import oracle
import questions
import simulate

FOLLOWER = os.environ.get("FOLLOWER") or os.path.join(
    simulate.BUILD, "oracle", "follower")
TIMEOUT = 120
RESOURCES = {"Pod": "pods", "Namespace": "namespaces",
             "NetworkPolicy": "networkpolicies"}

# @kind: "verdict", "ruleset", "refused" or "died". @flow: (source, destination,
# number, protocol) of a wrong verdict.
Failure = collections.namedtuple("Failure", "kind step flow text")


class Died(Exception):
    """The program ended, or said nothing for too long."""


class Follower:
    """The program, for the length of a "with".

    @failed: why it ended other than well, "" if it did not: a crash, or what a
    sanitizer found at its end.
    """

    def __init__(self, program=None):
        self.program = program or FOLLOWER
        self.process = self.errors = None
        self.failed = ""

    def __enter__(self):
        self.errors = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            [self.program], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=self.errors)
        return self

    def __exit__(self, *error):
        try:
            self.process.stdin.close()
        except BrokenPipeError:
            pass
        status = self.process.wait()
        self.process.stdout.close()
        if status:
            self.failed = self.failed or "%s ended with status %d\n%s" % (
                self.program, status, self.said())
        self.errors.close()

    def said(self):
        self.errors.seek(0)
        return self.errors.read().decode("utf-8", "replace")

    def tell(self, line):
        """The answer to one line. A program that has ended is started anew."""
        if self.process.poll() is not None:
            self.__exit__()
            self.__enter__()
        timer = threading.Timer(TIMEOUT, self.process.kill)
        timer.start()
        try:
            self.process.stdin.write(line.encode() + b"\n")
            self.process.stdin.flush()
            answer = self.process.stdout.readline().decode()
        except BrokenPipeError:
            answer = ""
        finally:
            timer.cancel()
        if not answer.endswith("\n"):
            self.process.wait()
            raise Died("%s died: %s" % (self.program, self.said().strip()))
        return answer.rstrip("\n")


def name_of(obj):
    return (obj["kind"], obj["metadata"].get("namespace", ""),
            obj["metadata"]["name"])


def apply_event(state, event):
    """@state: {name: object}, changed as a client's would."""
    if event["type"] == "DELETED":
        state.pop(name_of(event["object"]), None)
    elif "object" in event:
        state[name_of(event["object"])] = event["object"]


class Known:
    """What a node goes by: the objects, and the policies that outlive theirs."""

    def __init__(self):
        self.state, self.deleted = {}, {}

    def copy(self):
        other = Known()
        other.state, other.deleted = dict(self.state), dict(self.deleted)
        return other

    def take(self, event):
        if "object" in event:
            name = name_of(event["object"])
            known = self.state.get(name) or self.deleted.pop(name, None)
            if event["type"] == "DELETED" and known and name[0] == \
                    "NetworkPolicy":
                self.deleted[name] = known
            apply_event(self.state, event)
        for name, policy in list(self.deleted.items()):
            if not oracle.outlives(self.state.values(), policy):
                del self.deleted[name]

    def objects(self):
        return list(self.state.values()) + list(self.deleted.values())


def tell_event(follower, event):
    if "object" not in event:
        return follower.tell(event["type"])
    sent = event.get("sent", event["object"])
    return follower.tell("%s %s" % (
        RESOURCES[sent["kind"]],
        json.dumps({"type": event["type"], "object": sent})))


def first_difference(want, got, narrower):
    """Where an answer is wrong, None if none is."""
    for place, (one, other) in enumerate(zip(want, got)):
        if one != other and not (narrower and one == "1"):
            return place
    return None if len(want) == len(got) else min(len(want), len(got))


def compare(number, asked, want, said, narrower):
    """A Failure, or None."""
    how, *bits = said.split(" ")
    names = ["the tables"] if how == "same" else [
        "the tables that follow", "the compiler"]
    for who, got in zip(names, bits):
        place = first_difference(want, got, narrower)
        if place is None:
            continue
        flow = list(asked.flows())[place]
        return Failure("verdict", number, flow, (
            "%s -> %s %d/%s: the oracle says %s, %s: %s" % (
                *flow, want[place], who, got[place:place + 1] or "nothing")))
    if how != "same":
        return Failure("ruleset", number, None,
                       "the tables do not hold what the compiler makes")
    return None


def tell_step(follower, step, known, number):
    """A Failure if an event is refused, or None."""
    for event in step:
        said = tell_event(follower, event)
        known.take(event)
        if said != "ok" and "sent" not in event:
            return Failure("refused", number, None, said)
    return None


def check(follower, history, ask):
    """Tells a history; (Failure or None, how many questions were asked).

    @ask: called with the objects after every step, returns Questions.

    Where the tables are wrong, the history goes on until a verdict is, too.
    """
    known, count, number, first, narrower = Known(), 0, 0, None, False
    try:
        follower.tell("reset %s" % history["node"] if history["node"]
                      else "reset")
        for number, step in enumerate(history["steps"]):
            failure = tell_step(follower, step, known, number)
            if failure:
                return failure, count
            objects = known.objects()
            asked = ask(objects)
            want = questions.answers(objects, asked, history["node"])
            narrower = narrower or any("sent" in event for event in step)
            failure = compare(number, asked, want,
                              follower.tell(asked.line()), narrower)
            count += len(want)
            if failure and failure.kind != "ruleset":
                return failure, count
            first = first or failure
    except Died as died:
        return Failure("died", number, None, str(died)), count
    return first, count
