# SPDX-License-Identifier: Apache-2.0
"""What the tests of this folder share."""
import os
import subprocess

TOP = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
BUILD = os.path.join(TOP, os.environ.get("BUILD", "build"))
UNREACHABLE = 75
TESTS = []


class Failed(Exception):
    """Something is not as it should be."""


class Skipped(Exception):
    """What is needed cannot be downloaded."""


def test(function):
    TESTS.append(function)
    return function


def check(good, what):
    if not good:
        raise Failed(what)


def same(got, wanted, what):
    check(got == wanted, "%s: %s, not %s" % (what, got, wanted))


def path(name):
    return os.path.join(TOP, name)


def run(*command, **options):
    """Its status and what it printed, errors among it."""
    done = subprocess.run(command, stdin=subprocess.DEVNULL, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          check=False, **options)
    return done.returncode, done.stdout
