#!/usr/bin/env python3
"""Runs end-to-end tests on each version of Envoy, and prints a table of what came of it."""

import argparse
import dataclasses
import itertools
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
    """One suite. Its output is shown where it fails, else its last line alone. What fails is run once more by itself: on a
    busy machine a test may run out of patience, and a version that can't do something fails twice."""
    is_good, closing, lines = cargo_test(envoy, suite, filters)
    passed, failed = (int(closing[1]), int(closing[2])) if closing else (0, 0)
    again = failures(lines)
    if not is_good and again:
        print(f"once more: {' '.join(again)}", flush=True)
        is_good, second, _ = cargo_test(envoy, suite, ("--exact", "--test-threads=1", *again))
        if is_good and int(second[1]) == failed:
            passed, failed = passed + failed, 0
    outcome.has_failed |= not is_good or failed > 0
    outcome.passed += passed
    outcome.failed += failed
    outcome.seconds += float(closing[4]) if closing else 0
    for line in lines:
        what = line.removeprefix(LACKS)
        if what != line and what not in outcome.lacks:
            outcome.lacks.append(what)


def cargo_test(envoy, suite, arguments):
    """Whether all passed and none was ignored, the closing line, and all lines."""
    command = ["cargo", "test", "--quiet", "--locked", "--test", suite, "--", "--show-output", *arguments]
    ended = subprocess.run(
        command, cwd=ROOT, env=os.environ | {"ENVOY": str(envoy)}, stdout=subprocess.PIPE, text=True)
    lines = ended.stdout.splitlines()
    closing = next(filter(None, map(CLOSING.match, reversed(lines))), None)
    is_good = ended.returncode == 0 and closing is not None and closing[3] == "0"
    print(closing[0] if is_good else ended.stdout, flush=True)
    return is_good, closing, lines


def failures(lines):
    """The names in the last list of failures."""
    begins = [index for index, line in enumerate(lines) if line == "failures:"]
    named = lines[begins[-1] + 1:] if begins else []
    return [line.strip() for line in itertools.takewhile(lambda line: line.startswith("    "), named)]


if __name__ == "__main__":
    sys.exit(main())
