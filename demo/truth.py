"""Another service: it learns some time after a prediction what was true, and tells the filter."""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import NamedTuple

import requests

from demo.config import FEEDBACK_PATH, ROLLOUT, TOKEN_HEADER

LATE_BY_S = 4.0
SEND_EVERY_S = 0.5
BATCH = 500
"""Items a batch holds at most. The filter takes 1,000 items and 64 KiB."""


class Outcome(NamedTuple):
    due: float
    color: str
    predicted: bool
    actual: bool

    def item(self) -> dict[str, object]:
        kind = ("t" if self.predicted == self.actual else "f") + ("p" if self.predicted else "n")
        return {"rollout": ROLLOUT, "color": self.color, kind: 1}


class TruthService:
    def __init__(self, proxy: str, token: str):
        self._url = f"http://{proxy}{FEEDBACK_PATH}"
        self._session = requests.Session()
        self._session.headers[TOKEN_HEADER] = token
        self._pending: deque[Outcome] = deque()
        self._changed = threading.Condition()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="truth", daemon=True)
        self.told = 0
        self.refused: list[str] = []

    def __enter__(self) -> TruthService:
        self._thread.start()
        return self

    def __exit__(self, *_) -> None:
        self._stop.set()
        self._thread.join()

    def predicted(self, color: str, predicted: bool, actual: bool) -> None:
        """A user was served; the truth comes later."""
        with self._changed:
            self._pending.append(Outcome(time.monotonic() + LATE_BY_S, color, predicted, actual))

    def settled(self, color: str, timeout_s: float = 20) -> bool:
        """Waits until all outcomes of `color` are told. A release that takes over the color would
        otherwise be judged by its predecessor's predictions."""
        with self._changed:
            return self._changed.wait_for(
                lambda: all(outcome.color != color for outcome in self._pending), timeout_s
            )

    def _run(self) -> None:
        while not self._stop.wait(SEND_EVERY_S):
            while batch := self._due():
                self._send(batch)
                with self._changed:
                    for _ in batch:
                        self._pending.popleft()
                    self._changed.notify_all()

    def _due(self) -> list[Outcome]:
        now = time.monotonic()
        with self._changed:
            return [o for o, _ in zip(self._pending, range(BATCH)) if o.due <= now]

    def _send(self, batch: list[Outcome]) -> None:
        try:
            response = self._session.post(self._url, json=[outcome.item() for outcome in batch], timeout=5)
        except requests.RequestException as error:
            self.refused.append(str(error))
            return
        if response.status_code != 204:
            self.refused.append(f"{response.status_code} {response.text.strip()[:200]}")
            return
        self.told += len(batch)
