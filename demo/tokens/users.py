"""Users: each asks, and reads the answer word by word."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter

import requests

from demo.config import COLOR_HEADER, USER_HEADER

USERS = 1000
REQUESTS_PER_S = 40
WORKERS = 24


class Users:
    """At most `REQUESTS_PER_S`: a machine that can't keep up sends fewer, and never a burst later."""

    def __init__(self, proxy: str):
        self._url = f"http://{proxy}/answer"
        self._number = 0
        self._due = time.monotonic()
        self._lock = threading.Lock()
        self._color_of: dict[int, str] = {}
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._run, daemon=True) for _ in range(WORKERS)]
        self.served = 0
        self.errors: list[str] = []

    def __enter__(self) -> Users:
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
                self._ask(session, number)

    def _next(self) -> tuple[int, float]:
        with self._lock:
            now = time.monotonic()
            self._due = max(self._due + 1 / REQUESTS_PER_S, now)
            self._number += 1
            return self._number, self._due - now

    def _ask(self, session: requests.Session, number: int) -> None:
        user = number % USERS
        try:
            response = session.post(
                self._url, json={"prompt": f"question {number}"}, headers={USER_HEADER: f"user-{user}"}, timeout=15
            )
            response.raise_for_status()
            events = [event[len("data: ") :] for event in response.text.split("\n\n") if event]
            if events.pop() != "[DONE]" or not all(json.loads(event) for event in events):
                raise ValueError(f"no whole answer: {response.text!r}")
            color = response.headers[COLOR_HEADER]
        except (requests.RequestException, KeyError, ValueError, IndexError) as error:
            with self._lock:
                self.errors.append(f"user-{user}: {error!r}")
            return
        with self._lock:
            self.served += 1
            self._color_of[user] = color
