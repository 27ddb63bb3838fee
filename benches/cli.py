#!/usr/bin/env python3
"""What the operator's program costs on 1,000 rollouts: instructions, by callgrind, and the best wall time of ten runs.

Prints a table, and fails where a command takes more than its limit. Wants valgrind, and dist/bluegreen (make cli).
"""

import json
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import config

PROGRAM = config.BENCHES.parent / "dist" / "bluegreen"
SHIPPED = config.SHIPPED / "bluegreen.yaml"
ROLLOUTS = 1_000
MOST_INSTRUCTIONS = 900_000_000


def rollout(index, green):
    return {
        "name": f"r{index}",
        "match": {"hosts": [f"h{index}.example.com", f"*.shop{index}.example"], "path_prefix": "/v1/"},
        "clusters": {"blue": f"c{index}-v1", "green": f"c{index}-v2"},
        "weights": {"blue": 100 - green, "green": green},
        "sticky": [{"header": "x-user-id"}, {"cookie": "uid"}, {"new_cookie": {"name": "bluegreen", "max_age": "30d"}}],
        "guard": {"window": "30s", "min_requests": 100, "max_error_rate": 5, "slow_after": "800ms", "max_slow_rate": 20},
        "ramp": {"start": "2100-01-01T00:00:00Z", "steps": [{"weight": 20, "hold": "10m"}, {"weight": 100}]},
    }


def write(path, green):
    """As an operator writes it: a line for each field, in the shipped file."""
    head, _, _ = SHIPPED.read_text().partition("value: |\n")
    text = json.dumps({"rollouts": [rollout(index, green) for index in range(ROLLOUTS)]}, indent=2)
    path.write_text(head + "value: |\n" + "".join(f"          {line}\n" for line in text.splitlines()))


def instructions(command):
    valgrind = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"]
    run = subprocess.run([*valgrind, *command], check=True, capture_output=True, text=True)
    return int(re.search(r"Collected : (\d+)", run.stderr)[1])


def best_ms(command):
    def once():
        begin = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        return time.perf_counter() - begin

    return min(once() for _ in range(10)) * 1_000


def main():
    with tempfile.TemporaryDirectory() as directory:
        old, new = Path(directory) / "old.yaml", Path(directory) / "new.yaml"
        write(old, 5)
        write(new, 6)
        commands = {
            "check": [PROGRAM, "check", old],
            "explain": [PROGRAM, "explain", old, "http://h500.example.com/v1/", "-H", "x-user-id: alice"],
            "diff": [PROGRAM, "diff", old, new],
        }
        costs = {name: (instructions(command), best_ms(command)) for name, command in commands.items()}
    print("| command | million instructions | ms |\n|---|--:|--:|")
    for name, (count, ms) in costs.items():
        print(f"| `{name}` | {count / 1e6:.0f} | {ms:.0f} |")
    too_much = [name for name, (count, _) in costs.items() if count > MOST_INSTRUCTIONS]
    if too_much:
        sys.exit(f"more than {MOST_INSTRUCTIONS / 1e6:.0f} million instructions: {', '.join(too_much)}")


if __name__ == "__main__":
    main()
