# SPDX-License-Identifier: Apache-2.0
"""One random history against the oracle; what fails is shrunk and written down."""
import os
import random

import as_vector
import follower
import histories
import questions
import shrink
import simulate

MOST = int(os.environ.get("KNP_ORACLE_QUESTIONS") or 30000)
FOLDER = os.path.join(simulate.BUILD, "oracle")
VECTOR = "a vector that fails in the same way, also in build/oracle/:"


def search(seed, number, program=None, most=MOST, make=histories.history):
    """(Failure or None, the history, how many questions were asked)

    @most: questions per step, about. @make: the history, of random numbers.
    """
    rnd = random.Random("%d/%d" % (seed, number))
    history = make(rnd)
    with follower.Follower(program) as told:
        failure, count = follower.check(
            told, history,
            lambda objects: questions.sample(rnd, questions.edges(objects),
                                             most))
    if not failure and told.failed:
        failure = follower.Failure("died", len(history["steps"]) - 1, None,
                                   told.failed)
    return failure, history, count


def run(seed, number, part="histories", make=histories.history):
    """(lines that say what is wrong, questions, events)"""
    failure, history, count = search(seed, number, make=make)
    events = sum(len(step) for step in history["steps"])
    if not failure:
        return [], count, events
    return report(history, failure, "history %d of seed %d" % (number, seed),
                  "%d-%d.yaml" % (seed, number)) + [
        "again: KNP_SEED=%d tests/oracle/run %s %d" % (seed, part, number)
    ], count, events


def reproduces(path, failure, program=None):
    """Whether the vector in a file fails in the way of a history."""
    with follower.Follower(program) as told:
        again, _ = follower.check(
            told, as_vector.read_back(path),
            lambda _: questions.one(failure.flow or shrink.ANY_FLOW))
    return bool(again or told.failed) and (
        again.kind if again else "died") == failure.kind


def report(history, failure, name, file, program=None):
    """Shrinks a failing history; lines for people, and a file in build/oracle.

    The lines end with a vector that can be pasted into a file.
    """
    lines = ["%s: step %d: %s" % (failure.kind, failure.step, line)
             for line in failure.text.splitlines()[:20]]
    with follower.Follower(program) as told:
        history, small = shrink.shrink(told, history, failure)
    if not small:
        return lines + ["it did not fail again: nothing to shrink"]
    if small.kind == "refused" or "'sent': " in str(history):
        return lines + ["nothing to write down: the history is %s" % history]
    text = as_vector.vector(history, small, name)
    os.makedirs(FOLDER, exist_ok=True)
    path = os.path.join(FOLDER, file)
    with open(path, "w", encoding="utf-8") as out:
        out.write(text)
    lines.append("shrunk to %d steps of %d events: %s" % (
        len(history["steps"]), sum(len(one) for one in history["steps"]),
        small.text.splitlines()[0]))
    if not reproduces(path, small, program):
        lines.append("the vector alone does not show it; the history does: %s"
                     % history)
    else:
        lines.append(VECTOR)
    return lines + text.splitlines()
