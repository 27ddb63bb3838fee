"""Instructions per request, counted by callgrind on the worker thread."""

import re
import shutil
import statistics
import subprocess
from collections.abc import Callable
from dataclasses import dataclass

from envoy import Envoy

OUT = "callgrind.out"
# One file per thread, so that the main thread's timers and V8's compiler threads are not counted.
COMMAND = (
    "valgrind", "--tool=callgrind", "--smc-check=all-non-file", "--instr-atstart=no",
    "--separate-threads=yes", f"--callgrind-out-file={OUT}",
)
HOW_TO_GET = (
    "valgrind is not installed, so instructions can't be counted. "
    "Install it (apt-get install valgrind, dnf install valgrind) and run again."
)
TOTALS = re.compile(r"^totals: (\d+)", re.MULTILINE)
ROUNDS = 3


def available() -> bool:
    return shutil.which("valgrind") is not None and shutil.which("vgdb") is not None


@dataclass(frozen=True)
class Count:
    """Thousands of instructions per unit of work, in each round."""

    rounds: tuple[float, ...]

    @property
    def median(self) -> float:
        return statistics.median(self.rounds)

    @property
    def spread(self) -> float:
        """How far the rounds are apart, as a part of the median."""
        return (max(self.rounds) - min(self.rounds)) / self.median


class Counter:
    """Brackets work in an Envoy that runs under callgrind."""

    def __init__(self, envoy: Envoy):
        self.envoy = envoy
        self.dumps = 0
        self.vgdb("instrumentation", "on")

    def count(self, work: Callable[[], None], units: int) -> Count:
        """What `work` costs the worker: the thread that does the most."""
        return Count(tuple(max(self.bracket(work)) / units / 1000 for _ in range(ROUNDS)))

    def bracket(self, work: Callable[[], None]) -> list[int]:
        """Instructions of each thread while `work` ran."""
        self.vgdb("zero")
        work()
        self.vgdb("dump")
        self.dumps += 1
        files = list(self.envoy.directory.glob(f"{OUT}.{self.dumps}-*"))
        totals = [int(TOTALS.search(file.read_text())[1]) for file in files]
        for file in files:
            file.unlink()
        return totals

    def vgdb(self, *command: str) -> None:
        subprocess.run(
            ["vgdb", f"--pid={self.envoy.pid}", *command], check=True, capture_output=True, timeout=60)
