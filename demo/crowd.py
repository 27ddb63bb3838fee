"""Users in threads, who send requests at a steady pace for as long as the crowd is there."""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from collections import Counter

import requests

from demo.config import USER_HEADER


class Crowd(ABC):
    """At most `requests_per_s`: a machine that can't keep up sends fewer, and never a burst later."""

    def __init__(self, *, users: int, requests_per_s: float, workers: int):
        self._users = users
        self._pause_s = 1 / requests_per_s
        self._number = 0
        self._due = time.monotonic()
        self._lock = threading.Lock()
        self._color_of: dict[int, str] = {}
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, name=f"users-{n}", daemon=True) for n in range(workers)
        ]
        self.served = 0
        self.moves: Counter[tuple[str, str]] = Counter()
        self.errors: list[str] = []

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def users_on(self, color: str) -> int:
        with self._lock:
            return Counter(self._color_of.values())[color]

    @abstractmethod
    def ask(self, session: requests.Session, number: int, user: int, headers: dict[str, str]) -> str:
        """Sends a user's request, which has this number, with these headers, and reads the response. Returns the color
        that served it; raises where it was not served well."""

    def _run(self) -> None:
        with requests.Session() as session:
            while True:
                number, wait_s = self._next()
                if self._stop.wait(wait_s):
                    return
                self._visit(session, number, number % self._users)

    def _next(self) -> tuple[int, float]:
        """The number of the next request, and in how many seconds it is due."""
        with self._lock:
            now = time.monotonic()
            self._due = max(self._due + self._pause_s, now)
            self._number += 1
            return self._number, self._due - now

    def _visit(self, session: requests.Session, number: int, user: int) -> None:
        try:
            color = self.ask(session, number, user, {USER_HEADER: f"user-{user}"})
        except (requests.RequestException, LookupError, ValueError) as error:
            with self._lock:
                self.errors.append(f"user-{user}: {error!r}")
            return
        with self._lock:
            self.served += 1
            before = self._color_of.get(user)
            if before not in (None, color):
                self.moves[before, color] += 1
            self._color_of[user] = color
