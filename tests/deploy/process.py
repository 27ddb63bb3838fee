"""A child process with its log in a file, ended by its id."""

import signal
import subprocess
import time
from pathlib import Path

import pytest

PATIENCE = 30


def end_when_told():
    """A run that is told to end still ends what it started."""
    signal.signal(signal.SIGTERM, lambda *_: pytest.exit("told to end", returncode=143))


class Process:
    def __init__(self, arguments, directory: Path, name: str, env=None):
        directory.mkdir(parents=True, exist_ok=True)
        self.directory = directory
        self.log_file = directory / f"{name}.log"
        with self.log_file.open("wb") as log:
            self.child = subprocess.Popen(
                [str(argument) for argument in arguments], cwd=directory, env=env,
                stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()

    def end(self):
        self.child.terminate()
        try:
            self.child.wait(5)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()

    def log(self) -> str:
        return self.log_file.read_text(errors="replace")

    def until(self, what: str, condition, patience=PATIENCE):
        """The first true value of `condition`; fails where the process ends before."""
        deadline = time.monotonic() + patience
        while True:
            value = condition()
            if value:
                return value
            assert self.child.poll() is None, f"{what}: ended with {self.child.returncode}\n{self.tail()}"
            assert time.monotonic() < deadline, f"{what}: not in {patience} s\n{self.tail()}"
            time.sleep(0.02)

    def until_none(self, what: str, missing):
        """Waits until nothing is missing; fails with what is."""
        try:
            self.until(what, lambda: not missing())
        except AssertionError as error:
            raise AssertionError(f"{what}: {missing()}") from error

    def tail(self) -> str:
        return "\n".join(self.log().splitlines()[-25:])
