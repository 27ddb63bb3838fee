#!/usr/bin/env python3
"""Runs end-to-end tests on each version of Envoy, and prints a table of what came of it."""

import argparse
import dataclasses
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent

# What depends on Envoy most: its streams, properties and stats; of the profiles, what the signal changes.
SUITES = (("envoy", ()), ("progress", ()), ("profiles", ("signalled",)))

CLOSING = re.compile(
    r"^test result: \w+\. (\d+) passed; (\d+) failed; (\d+) ignored;.* finished in ([\d.]+)s$")
LACKS = "this Envoy lacks: "


@dataclasses.dataclass
class Outcome:
    """What came of the tests on one version."""

    version: str
    passed: int = 0
    failed: int = 0
    seconds: float = 0
    lacks: list = dataclasses.field(default_factory=list)
    has_failed: bool = False

    def row(self):
        lacks = "; ".join(self.lacks) or "–"
        return f"| {self.version} | {self.passed} | {self.failed} | {self.seconds:.0f} | {lacks} |"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("versions", nargs="+", metavar="VERSION", help="fetched before, as by make")
    outcomes = [test(version) for version in parser.parse_args().versions]
    print("\n| Envoy | passed | failed | seconds | lacks |\n|---|--:|--:|--:|---|")
    for outcome in outcomes:
        print(outcome.row())
    return int(any(outcome.has_failed for outcome in outcomes))


def test(version):
    outcome = Outcome(version)
    envoy = ROOT / ".venv" / version / "envoy"
    for suite, filters in SUITES:
        print(f"Envoy {version}: tests/{suite} {' '.join(filters)}".rstrip(), flush=True)
        run(outcome, envoy, suite, filters)
    return outcome


def run(outcome, envoy, suite, filters):
    """One suite. Its output is shown where it fails, else its last line alone."""
    command = ["cargo", "test", "--quiet", "--locked", "--test", suite, "--", "--show-output", *filters]
    ended = subprocess.run(
        command, cwd=ROOT, env=os.environ | {"ENVOY": str(envoy)}, stdout=subprocess.PIPE, text=True)
    lines = ended.stdout.splitlines()
    closing = next(filter(None, map(CLOSING.match, reversed(lines))), None)
    is_good = ended.returncode == 0 and closing is not None and closing[3] == "0"
    print(closing[0] if is_good else ended.stdout, flush=True)
    outcome.has_failed |= not is_good
    if closing:
        outcome.passed += int(closing[1])
        outcome.failed += int(closing[2])
        outcome.seconds += float(closing[4])
    for line in lines:
        what = line.removeprefix(LACKS)
        if what != line and what not in outcome.lacks:
            outcome.lacks.append(what)


if __name__ == "__main__":
    sys.exit(main())
