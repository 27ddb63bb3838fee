"""Child processes: each writes to its own log, and none outlives the demo."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path
from typing import Callable

import requests

POLL_EVERY_S = 0.1
STOP_WITHIN_S = 10


class Process:
    def __init__(self, command: list[str], log: Path, cwd: Path):
        self._command = command
        self._log = log
        self._cwd = cwd

    def __enter__(self) -> Process:
        with self._log.open("wb") as log:
            self._child = subprocess.Popen(self._command, cwd=self._cwd, stdout=log, stderr=subprocess.STDOUT)
        return self

    def __exit__(self, *_) -> None:
        self.stop()

    def stop(self) -> None:
        self._child.terminate()
        try:
            self._child.wait(STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()


def wait_for(what: str, condition: Callable[[], bool], timeout_s: float = 30) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"within {timeout_s:g} s it did not happen that {what}")
        time.sleep(POLL_EVERY_S)


def answers(url: str, containing: str = "") -> bool:
    try:
        response = requests.get(url, timeout=5)
    except requests.RequestException:
        return False
    return response.ok and containing in response.text
