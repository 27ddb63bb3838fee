"""Users: each asks, and reads the answer word by word."""

from __future__ import annotations

import json

import requests

from demo.config import COLOR_HEADER
from demo.crowd import Crowd

USERS = 1000
REQUESTS_PER_S = 40
WORKERS = 24


class Users(Crowd):
    def __init__(self, proxy: str):
        super().__init__(users=USERS, requests_per_s=REQUESTS_PER_S, workers=WORKERS)
        self._url = f"http://{proxy}/answer"

    def ask(self, session: requests.Session, number: int, user: int, headers: dict[str, str]) -> str:
        prompt = {"prompt": f"question {number}"}
        response = session.post(self._url, json=prompt, headers=headers, timeout=15)
        response.raise_for_status()
        events = [event[len("data: ") :] for event in response.text.split("\n\n") if event]
        if events.pop() != "[DONE]" or not all(json.loads(event) for event in events):
            raise ValueError(f"no whole answer: {response.text!r}")
        return response.headers[COLOR_HEADER]
