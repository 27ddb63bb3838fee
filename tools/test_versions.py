#!/usr/bin/env python3
"""Runs end-to-end tests on each version of Envoy, and prints a table of what came of it."""

import argparse
import dataclasses
import sys

from cargo_test import ROOT, cargo_test, once_more

# What depends on Envoy most: its streams, properties and stats; of the profiles, what the signal changes.
# The split and what becomes of a ramp do not depend on Envoy.
SUITES = (
    ("envoy", ("--skip", "shift::")),
    ("progress", ("--skip", "ramp", "--skip", "recovery::", "--skip", "swap::")),
    ("profiles", ("signalled",)),
)

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
    env = {"ENVOY": str(envoy)}
    first = cargo_test(["--quiet", "--locked", "--workspace", "--test", suite, "--", "--show-output", *filters], env=env)
    passed, failed, ignored, seconds = (first.closings() or [(0, 0, 0, 0.0)])[-1]
    print(first.closing_line() if first.is_good else "\n".join(first.lines), flush=True)
    is_good = first.is_good
    for target, names in first.failures():
        print(f"once more: {' '.join(names)}", flush=True)
        second = cargo_test(once_more(target, names), env=env)
        is_good = second.is_good
        print("passed" if is_good else "\n".join(second.lines), flush=True)
        if is_good:
            passed, failed = passed + failed, 0
    outcome.has_failed |= not is_good or failed > 0 or ignored > 0
    outcome.passed += passed
    outcome.failed += failed
    outcome.seconds += seconds
    for line in first.lines:
        what = line.removeprefix(LACKS)
        if what != line and what not in outcome.lacks:
            outcome.lacks.append(what)


if __name__ == "__main__":
    sys.exit(main())
