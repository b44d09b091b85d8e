# SPDX-License-Identifier: Apache-2.0
"""Makes a history that fails smaller for as long as it fails in the same way.

Steps, events, and then every element of a list and every key of a map in the
objects are left out, in that order and again until nothing more can go. What is
left need not make sense to anybody but the decoder: a history with an object
that is refused does not fail in the same way.
"""
import copy

import follower
import questions


ANY_FLOW = ("10.0.0.1", "10.0.0.2", 80, "TCP")

# Without these an object is another one.
KEPT = [("apiVersion",), ("kind",), ("metadata",), ("metadata", "name"),
        ("metadata", "namespace"), ("spec",)]


class Shrinker:
    """@failure: as follower.check() returned it for the history."""

    def __init__(self, told, failure):
        self.told = told
        self.failure = failure
        self.tries = 0

    def asked(self, objects):
        """The question that was answered wrongly; any, if none was."""
        del objects
        return questions.one(self.failure.flow or ANY_FLOW)

    def failing(self, history):
        """The Failure of a candidate, None if it is another or none."""
        self.tries += 1
        try:
            failure, _ = follower.check(self.told, history, self.asked)
        except (KeyError, TypeError, ValueError, AttributeError):
            return None     # the oracle makes nothing of it
        if failure and failure.kind == self.failure.kind:
            return failure
        return None

    def without(self, items, fails):
        """The items that are needed, by halves, quarters, ... of them."""
        size = len(items)
        while size:
            at = 0
            while at < len(items):
                fewer = items[:at] + items[at + size:]
                if fails(fewer):
                    items = fewer
                else:
                    at += size
            size //= 2
        return items

    def shrink_steps(self, history):
        return {**history, "steps": self.without(
            history["steps"],
            lambda steps: self.failing({**history, "steps": steps}))}

    def shrink_events(self, history):
        for number in range(len(history["steps"])):
            def with_events(events, number=number, history=history):
                steps = list(history["steps"])
                steps[number] = events
                return {**history, "steps": steps}
            history = with_events(self.without(
                history["steps"][number],
                lambda events: self.failing(with_events(events))))
        return history

    def shrink_objects(self, history):
        """Leaves out one part after the other of every object."""
        for step in range(len(history["steps"])):
            for event in range(len(history["steps"][step])):
                told = history["steps"][step][event]
                if "object" in told and "sent" not in told:
                    history = self.shrink_object(history, step, event)
        return history

    def shrink_object(self, history, step, event):
        seen = 0
        while True:
            paths = list(parts(history["steps"][step][event]["object"]))
            if seen >= len(paths):
                return history
            fewer = copy.deepcopy(history)
            take_out(fewer["steps"][step][event]["object"], paths[seen])
            if paths[seen] not in KEPT and self.failing(fewer):
                history = fewer
            else:
                seen += 1


def on_every_node(history):
    """Every pod is an endpoint."""
    return {**history, "node": None}


def as_one_step(history):
    """The same objects at once, if how they came does not matter."""
    state = {}
    for step in history["steps"]:
        for event in step:
            follower.apply_event(state, event)
    return {**history, "steps": [[{"type": "ADDED", "object": obj}
                                  for obj in state.values()]]}


def parts(value, path=()):
    """Paths of all elements and keys, the outer before the inner."""
    keys = (list(value) if isinstance(value, dict) else
            range(len(value)) if isinstance(value, list) else [])
    for key in keys:
        yield path + (key,)
        yield from parts(value[key], path + (key,))


def take_out(value, path):
    for key in path[:-1]:
        value = value[key]
    del value[path[-1]]


def shrink(told, history, failure):
    """(a smaller history, its Failure); the same ones if it will not repeat.

    @told: the Follower.
    """
    small = Shrinker(told, failure)
    history = {**history, "steps": history["steps"][:failure.step + 1]}
    if not small.failing(history):
        return history, failure
    # First: what is left out below may be what fails on every node.
    if small.failing(on_every_node(history)):
        history = on_every_node(history)
    size = None
    while size != str(history):
        size = str(history)
        history = small.shrink_steps(history)
        history = small.shrink_events(history)
        history = small.shrink_objects(history)
        for simpler in (on_every_node, as_one_step):
            if small.failing(simpler(history)):
                history = simpler(history)
    return history, small.failing(history)
