#!/usr/bin/env python3
"""Runs `cargo test` with these arguments. What fails is run once more by itself: on a busy machine a test of real servers
may run out of patience, and what is broken fails twice."""

import dataclasses
import itertools
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent

CLOSING = re.compile(
    r"^test result: \w+\. (\d+) passed; (\d+) failed; (\d+) ignored;.* finished in ([\d.]+)s$")

# At its end cargo names each target that failed by the arguments that run it again.
FAILED_TARGET = re.compile(r"^    `(-[^`]+)`$")


@dataclasses.dataclass
class Run:
    """What came of one run."""

    is_good: bool
    lines: list

    def closings(self):
        """Passed, failed, ignored and seconds of each target."""
        matches = filter(None, map(CLOSING.match, self.lines))
        return [(*map(int, match.groups()[:3]), float(match[4])) for match in matches]

    def closing_line(self):
        return next(filter(CLOSING.match, reversed(self.lines)), "no test was run")

    def failures(self):
        """The arguments of each target that failed, and the names of its tests that did."""
        targets = [match[1].split() for match in map(FAILED_TARGET.search, self.lines) if match]
        begins = [index for index, line in enumerate(self.lines) if line == "failures:"]
        lists = [self.names(index + 1) for index in begins]
        named = [names for names in lists if names]
        return list(zip(targets, named, strict=True)) if len(targets) == len(named) else []

    def names(self, begin):
        listed = itertools.takewhile(lambda line: line.startswith("    "), self.lines[begin:])
        return [line.strip() for line in listed]


def main(arguments):
    first = cargo_test(arguments, show)
    if first.is_good:
        return 0
    failures = first.failures()
    if not failures:
        return 1
    print("\nOnce more what failed, each by itself:", flush=True)
    again = [cargo_test(once_more(target, names), show) for target, names in failures]
    has_passed = all(run.is_good for run in again)
    for _, names in failures:
        print(f"{'passed at the second attempt' if has_passed else 'to look into'}: {' '.join(names)}")
    return int(not has_passed)


def once_more(target, names):
    """In the whole workspace, for which all is built already: `-p` alone would build with other features."""
    if target[0] == "-p":
        target = target[2:]
    return ["--locked", "--workspace", *target, "--", "--exact", "--test-threads=1", *names]


def cargo_test(arguments, each_line=lambda line: None, env=None):
    """All targets are run, also where one fails."""
    command = ["cargo", "test", "--no-fail-fast", *arguments]
    lines = []
    with subprocess.Popen(
        command, cwd=ROOT, env=os.environ | (env or {}), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, errors="replace") as running:
        for line in running.stdout:
            each_line(line)
            lines.append(line.rstrip("\n"))
    return Run(running.returncode == 0, lines)


def show(line):
    print(line, end="", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
