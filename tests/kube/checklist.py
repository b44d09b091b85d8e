# SPDX-License-Identifier: Apache-2.0
"""What can be got wrong about lists and watches, and which test holds it."""
import os
import re
import sys

from harness import TESTS, TOP

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(TOP, "tests", "vectors"))

import ids  # noqa: E402

FILE = os.path.join(HERE, "checklist.yaml")
ID = re.compile(r"(reflector|watchlist|retry|pager|requests|secrets|store|"
                r"bytes|sieve)/[a-z0-9-]+")


def wrong_with_holder(text):
    """Why a holder is none, or None: "kube/NAME" is a test of this run, which
    runs it; of the others ids.py knows."""
    folder, _, name = text.partition("/")
    if folder != "kube":
        return ids.wrong_with_holder(text)
    if name not in {test.__name__ for test in TESTS}:
        return "there is no test %s here" % name
    return None


def mistakes(table):
    """All that is wrong with a table, as lines."""
    if not isinstance(table, dict) or not table:
        return ["there is no id"]
    wrong = []
    for name, entry in table.items():
        if not ID.fullmatch(str(name)):
            wrong.append("%s: is no id" % name)
        wrong += ["%s: %s" % (name, why) for why in
                  ids.wrong_with_entry(entry, "not_here", wrong_with_holder)]
    held = {holder for entry in table.values() if isinstance(entry, dict)
            for holder in entry.get("held_by") or []}
    wrong += ["no id names the test %s" % test.__name__ for test in TESTS
              if "kube/" + test.__name__ not in held and
              not test.__name__.startswith("knpd_")]
    groups = {str(name).partition("/")[0] for name in table}
    return wrong + ["%s: no id" % group for group in
                    ID.pattern[1:].partition(")")[0].split("|")
                    if group not in groups]


def load():
    # YAML without duplicate keys, which would hide an id.
    return ids.vectors.load_yaml(FILE)


def print_table():
    """The table; ends with the counts."""
    table = load()
    held = ids.print_entries(table, "not_here")
    print("\n%d ids: %d held, %d that do not apply" %
          (len(table), held, len(table) - held))


# ---- the check itself, on tables with one mistake ----------------------------

GOOD = {"what": "A sentence.",
        "held_by": ["kube/follows_what_is_added_changed_and_deleted"]}
WRONG = [
    ({"Reflector/a": GOOD}, "is no id"),
    ({"other/a": GOOD}, "is no id"),
    ({"store/a": dict(GOOD, held_by=["kube/nothing"])}, "no test nothing"),
    ({"store/a": dict(GOOD, held_by=['unit/test_kube_watch "none"'])},
     "no test"),
    ({"store/a": dict(GOOD, held_by=['unit/test_none "none"'])},
     "no unit/test_none"),
    ({"store/a": dict(GOOD, held_by=["guest/state"])}, "names no test"),
    ({"store/a": dict(GOOD, held_by=["README"])}, "is no holder"),
    ({"store/a": dict(GOOD, held_by=[])}, "nothing holds it"),
    ({"store/a": dict(GOOD, held_by=GOOD["held_by"] * 2)}, "same twice"),
    ({"store/a": dict(GOOD, not_here="x")}, "must have"),
    ({"store/a": {"what": "A.", "not_here": " "}}, "no sentence"),
    ({"store/a": GOOD}, "no id names the test"),
    ({"store/a": GOOD}, "sieve: no id"),
    ({}, "no id"),
]


def check():
    """What is wrong with the table, and with this check."""
    wrong = mistakes(load())
    for table, words in WRONG:
        found = mistakes(table)
        if not any(words in line for line in found):
            wrong.append("a table is taken though \"%s\": %s" %
                         (words, found[:3]))
    return wrong
