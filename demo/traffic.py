"""Users: each sends one held-out case again and again, with the header that makes it sticky."""

from __future__ import annotations

import threading
import time
from collections import Counter

import requests

from demo.config import COLOR_HEADER, USER_HEADER
from demo.models import Cases
from demo.truth import TruthService

USERS = 2000
REQUESTS_PER_S = 200
WORKERS = 4


class Traffic:
    """At most `REQUESTS_PER_S`: a machine that can't keep up sends fewer, and never a burst later."""

    def __init__(self, proxy: str, cases: Cases, truth: TruthService):
        self._url = f"http://{proxy}/predict"
        self._bodies = [{"features": row.tolist()} for row in cases.features]
        self._malignant = [bool(m) for m in cases.malignant]
        self._truth = truth
        self._number = 0
        self._due = time.monotonic()
        self._lock = threading.Lock()
        self._color_of: dict[int, str] = {}
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, name=f"users-{n}", daemon=True) for n in range(WORKERS)
        ]
        self.served = 0
        self.moves: Counter[tuple[str, str]] = Counter()
        self.errors: list[str] = []

    def __enter__(self) -> Traffic:
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

    def _run(self) -> None:
        with requests.Session() as session:
            while True:
                number, wait_s = self._next()
                if self._stop.wait(wait_s):
                    return
                self._visit(session, number % USERS)

    def _next(self) -> tuple[int, float]:
        """The number of the next request, and in how many seconds it is due."""
        with self._lock:
            now = time.monotonic()
            self._due = max(self._due + 1 / REQUESTS_PER_S, now)
            self._number += 1
            return self._number, self._due - now

    def _visit(self, session: requests.Session, user: int) -> None:
        case = user % len(self._bodies)
        try:
            response = session.post(
                self._url, json=self._bodies[case], headers={USER_HEADER: f"user-{user}"}, timeout=5
            )
            response.raise_for_status()
            color = response.headers[COLOR_HEADER]
            malignant = response.json()["malignant"]
        except (requests.RequestException, KeyError) as error:
            with self._lock:
                self.errors.append(f"user-{user}: {error!r}")
            return
        with self._lock:
            self.served += 1
            before = self._color_of.get(user)
            if before not in (None, color):
                self.moves[before, color] += 1
            self._color_of[user] = color
        self._truth.predicted(color, malignant, self._malignant[case])
