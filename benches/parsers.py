#!/usr/bin/env python3
"""What each parser of client input costs by the byte, whatever a client sends.

Counts native instructions, by callgrind; compiled for Wasm the same code takes somewhat more of them.
Prints a table, and fails where a shape costs more than its limit. Wants cargo and valgrind.
"""

import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import callgrind
import config

MEASURED = "bluegreen_measured"
MOST_PER_BYTE = 60
OUT = config.BENCHES / "out"


@dataclass(frozen=True)
class Cost:
    """What one input costs its parser."""

    parser: str
    shape: str
    bytes: int
    is_limited: bool
    instructions: int

    @property
    def per_byte(self) -> float:
        return self.instructions / self.bytes

    @property
    def is_too_much(self) -> bool:
        return self.is_limited and self.per_byte > MOST_PER_BYTE


def build() -> Path:
    subprocess.run(
        ["cargo", "build", "--quiet", "--release", "--target-dir", OUT / "target"],
        cwd=config.BENCHES / "parsers", check=True)
    return OUT / "target" / "release" / "parsers"


def measure(binary: Path) -> list[Cost]:
    """One dump of callgrind for each call of the measured function, in the order of the cases."""
    with tempfile.TemporaryDirectory() as directory:
        dumps = Path(directory) / "callgrind.out"
        run = subprocess.run(
            ["valgrind", "--tool=callgrind", f"--callgrind-out-file={dumps}",
             f"--toggle-collect={MEASURED}", f"--dump-after={MEASURED}", binary],
            check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        lines = run.stdout.splitlines()
        return [cost(line, Path(f"{dumps}.{number}")) for number, line in enumerate(lines, start=1)]


def cost(line: str, dump: Path) -> Cost:
    parser, shape, size, limited = line.split("\t")
    total = re.search(r"^(?:totals|summary): (\d+)", dump.read_text(), re.MULTILINE)
    return Cost(parser, shape, int(size), limited == "true", int(total[1]))


def table(costs: list[Cost]) -> str:
    rows = ["| parser | shape | bytes | instructions | a byte |", "|---|---|--:|--:|--:|"]
    for it in costs:
        per_byte = f"{it.per_byte:.1f}" if it.is_limited else ""
        rows.append(f"| {it.parser} | {it.shape} | {it.bytes:,} | {it.instructions:,} | {per_byte} |")
    return "\n".join(rows)


def main() -> None:
    if not callgrind.available():
        raise SystemExit(callgrind.HOW_TO_GET)
    costs = measure(build())
    print(table(costs))
    too_much = [it for it in costs if it.is_too_much]
    for it in too_much:
        print(f"{it.parser}, {it.shape}: {it.per_byte:.1f} instructions a byte, must be at most {MOST_PER_BYTE}",
              file=sys.stderr)
    sys.exit(1 if too_much else 0)


if __name__ == "__main__":
    main()
