# SPDX-License-Identifier: Apache-2.0
"""What can be got wrong, and what holds it: ids.yaml, which says how it is read."""
import glob
import os
import re

import vectors

HERE = vectors.HERE
TESTS = os.path.dirname(HERE)
FILE = os.path.join(HERE, "ids.yaml")
ID = re.compile(r"(semantics|upstream|legacy|bug)/[a-z0-9-]+")
HOLDER = re.compile(r'([a-z]+)/([a-z0-9_-]+)(?: "(.+)")?')
# Where the file of a holder is; all but vectors must name a test in it.
FILES = {
    "own": os.path.join(HERE, "own", "%s.yaml"),
    "upstream": os.path.join(HERE, "upstream", "%s.yaml"),
    "aside": os.path.join(HERE, "aside", "%s.yaml"),
    "bad": os.path.join(HERE, "bad", "%s.yaml"),
    "guest": os.path.join(TESTS, "guest", "scenarios", "%s.sh"),
    "cluster": os.path.join(TESTS, "guest", "cluster", "%s.sh"),
    "safety": os.path.join(TESTS, "guest", "safety", "%s.sh"),
    # of several scenarios
    "shared": os.path.join(TESTS, "guest", "%s.sh"),
    "unit": os.path.join(TESTS, "unit", "%s.c"),
}
VECTORS = ("own", "upstream", "aside")
# How the test of a name begins in a file that is no vector.
TITLES = {
    "bad": r"^- title: %s$",
    "guest": r'^\s*(?:check|refute|matrix|change) "%s"',
    "cluster": r'^\s*(?:check|refute|matrix|change|stays|brings) "%s"',
    "safety": r'^\s*(?:check|refute|reported) "%s"',
    "shared": r'^\s*(?:check|refute|reported) "%s"',
    "unit": r"^static void %s\(",
}


def wrong_with_holder(text):
    """Why a holder is none, or None."""
    match = HOLDER.fullmatch(text)
    if not match or match[1] not in FILES:
        return "%s is no holder" % text
    folder, name, title = match.groups()
    try:
        with open(FILES[folder] % name, encoding="utf-8") as file:
            content = file.read()
    except FileNotFoundError:
        return "there is no %s/%s" % (folder, name)
    if folder in VECTORS:
        return "a vector is named whole: %s" % text if title else None
    if not title:
        return "%s names no test" % text
    if not re.search(TITLES[folder] % re.escape(title), content, re.M):
        return "%s/%s has no test \"%s\"" % (folder, name, title)
    return None


def wrong_with_entry(entry, reason="open", wrong_with=wrong_with_holder):
    """What is wrong with one id's value, which has holders, or the member that
    is the reason why there are none."""
    if not isinstance(entry, dict) or set(entry) not in (
            {"what", "held_by"}, {"what", reason}):
        return ["must have what, and either held_by or " + reason]
    wrong = ["%s is no sentence" % field for field in ("what", reason)
             if field in entry and not (isinstance(entry[field], str) and
                                        entry[field].strip())]
    if reason in entry:
        return wrong
    holders = entry["held_by"]
    if not isinstance(holders, list) or not holders:
        return wrong + ["nothing holds it"]
    if len(holders) != len(set(holders)):
        wrong.append("is held by the same twice")
    return wrong + [why for why in map(wrong_with, holders) if why]


def vector_names():
    return {os.path.relpath(path, HERE)[:-len(".yaml")]
            for folder in VECTORS
            for path in glob.glob(os.path.join(HERE, folder, "*.yaml"))}


def mistakes(table):
    """All that is wrong with a table, as lines."""
    if not isinstance(table, dict) or not table:
        return ["there is no id"]
    wrong = []
    named = set()
    for name, entry in table.items():
        if not ID.fullmatch(str(name)):
            wrong.append("%s: is no id" % name)
        bad = wrong_with_entry(entry)
        wrong += ["%s: %s" % (name, why) for why in bad]
        if not bad:
            named.update(entry.get("held_by", []))
    return wrong + ["%s: no id names this vector" % name
                    for name in sorted(vector_names() - named)]


def check():
    return mistakes(vectors.load_yaml(FILE))


def print_entries(table, reason="open"):
    """The table; how many of its ids are held."""
    for name, entry in table.items():
        print("%s\n    %s" % (name, entry["what"]))
        for holder in entry.get("held_by", []):
            print("    -> " + holder)
        if reason in entry:
            print("    %s: %s" % (reason.replace("_", " "), entry[reason]))
    return sum("held_by" in entry for entry in table.values())


def print_table():
    """The table; ends with the counts."""
    table = vectors.load_yaml(FILE)
    held = print_entries(table)
    print("\n%d ids: %d held, %d open; %d vectors" %
          (len(table), held, len(table) - held, len(vector_names())))


# ---- the check itself, on tables with one mistake ----------------------------

GOOD = {"what": "A sentence.", "held_by": ["own/union"]}
WRONG = [
    ("a form that is no id", {"Semantics/1": GOOD}, "is no id"),
    ("an id of a group that is not known", {"other/1-a": GOOD}, "is no id"),
    ("a vector that is not there",
     {"bug/a-1": dict(GOOD, held_by=["own/nowhere"])}, "no own/nowhere"),
    ("a case of bad that is not there",
     {"bug/a-1": dict(GOOD, held_by=['bad/policies "port 1"'])}, "no test"),
    ("a scenario that is not there",
     {"bug/a-1": dict(GOOD, held_by=['guest/none "a"'])}, "no guest/none"),
    ("a title that its scenario does not have",
     {"bug/a-1": dict(GOOD, held_by=['guest/revoke "the node"'])}, "no test"),
    ("a unit test that is not there",
     {"bug/a-1": dict(GOOD, held_by=['unit/test_match "none"'])}, "no test"),
    ("a scenario without a title",
     {"bug/a-1": dict(GOOD, held_by=["guest/revoke"])}, "names no test"),
    ("a folder that holds nothing",
     {"bug/a-1": dict(GOOD, held_by=["fuzz/fuzz_pod"])}, "no holder"),
    ("nothing that holds it", {"bug/a-1": dict(GOOD, held_by=[])}, "nothing"),
    ("no sentence", {"bug/a-1": dict(GOOD, what=" ")}, "no sentence"),
    ("open, and held", {"bug/a-1": dict(GOOD, open="later")}, "must have"),
    ("neither open nor held", {"bug/a-1": {"what": "A."}}, "must have"),
    ("a vector that no id names", {"bug/a-1": GOOD}, "own/relabel: no id"),
    ("no id at all", {}, "no id"),
]


def check_wrong(table, words):
    """A table with a mistake must be refused for it."""
    found = mistakes(table)
    if any(words in line for line in found):
        return []
    return ["want \"%s\", got %s" % (words, found)]
