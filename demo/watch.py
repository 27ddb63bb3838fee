"""Watches the figures while the story goes on, and lets each step wait for what it expects."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import Callable

from demo.stats import Snapshot, scrape

SCRAPE_EVERY_S = 0.5
SHOW_EVERY_S = 2.0


class StepFailed(Exception):
    """Something the story expects did not happen."""


@dataclass(frozen=True)
class Moment:
    at_s: float
    figures: Snapshot


def figures_line(snapshot: Snapshot) -> str:
    return "   ".join(_figures(snapshot, color) for color in ("blue", "green"))


def _figures(snapshot: Snapshot, color: str) -> str:
    c = snapshot.color(color)
    f1 = f"{c.f1:5.1f} ({c.f1_low:3.0f} to {c.f1_high:3.0f})" if c.samples else f"{'-':>18}"
    return f"{color:5} {c.weight:3.0f} %  {c.requests:6,} requests  F1 {f1} of {c.samples:5,} samples"


class Watch:
    """Keeps every scrape, for the steps now and for the report at the end."""

    def __init__(self, admin: str, line: Callable[[Snapshot], str] = figures_line):
        self.history: list[Moment] = []
        self._admin = admin
        self._line = line
        self._started = time.monotonic()
        self._shown_s = 0.0
        self._changed = threading.Condition()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)

    def __enter__(self) -> Watch:
        self._started = time.monotonic()
        self._thread.start()
        return self

    def __exit__(self, *_) -> None:
        self._stop.set()
        self._thread.join()

    def elapsed_s(self) -> float:
        return time.monotonic() - self._started

    def latest(self) -> Snapshot:
        return self.history[-1].figures

    def next(self) -> Snapshot:
        """The next scrape: by then every worker acts on what the last one showed."""
        return self.until("Envoy tells its figures", lambda _: True)

    def until(self, what: str, condition: Callable[[Snapshot], bool], timeout_s: float = 20) -> Snapshot:
        """Waits for a scrape that fits `condition`, showing figures meanwhile."""
        deadline = self.elapsed_s() + timeout_s
        with self._changed:
            seen = len(self.history)
            while self.elapsed_s() < deadline:
                self._changed.wait(timeout=deadline - self.elapsed_s())
                for moment in self.history[seen:]:
                    if condition(moment.figures):
                        self._show(moment)
                        return moment.figures
                    if moment.at_s - self._shown_s >= SHOW_EVERY_S:
                        self._show(moment)
                seen = len(self.history)
        raise StepFailed(f"within {timeout_s:g} s it did not happen that {what}")

    def _run(self) -> None:
        while not self._stop.wait(SCRAPE_EVERY_S):
            try:
                moment = Moment(self.elapsed_s(), scrape(self._admin))
            except OSError as error:
                print(f"  no figures from {self._admin}: {error}", flush=True)
                continue
            with self._changed:
                self.history.append(moment)
                self._changed.notify_all()

    def _show(self, moment: Moment) -> None:
        self._shown_s = moment.at_s
        print(f"  {moment.at_s:6.1f} s   {self._line(moment.figures)}", flush=True)
