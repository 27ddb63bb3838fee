"""Users: each sends one held-out case again and again, with the header that makes it sticky."""

from __future__ import annotations

import requests

from demo.config import COLOR_HEADER
from demo.crowd import Crowd
from demo.models import Cases
from demo.truth import TruthService

USERS = 2000
REQUESTS_PER_S = 200
WORKERS = 4


class Traffic(Crowd):
    def __init__(self, proxy: str, cases: Cases, truth: TruthService):
        super().__init__(users=USERS, requests_per_s=REQUESTS_PER_S, workers=WORKERS)
        self._url = f"http://{proxy}/predict"
        self._bodies = [{"features": row.tolist()} for row in cases.features]
        self._malignant = [bool(m) for m in cases.malignant]
        self._truth = truth

    def ask(self, session: requests.Session, number: int, user: int, headers: dict[str, str]) -> str:
        case = user % len(self._bodies)
        response = session.post(self._url, json=self._bodies[case], headers=headers, timeout=5)
        response.raise_for_status()
        color = response.headers[COLOR_HEADER]
        self._truth.predicted(color, response.json()["malignant"], self._malignant[case])
        return color
