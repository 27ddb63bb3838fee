"""What the story is told with: steps, expectations, and the operator's and a tester's hands."""

from __future__ import annotations

import secrets
from typing import Any, Callable

import requests

from demo.bootstrap import Addresses
from demo.config import COLOR_HEADER, OVERRIDE_HEADER, TOKEN_HEADER, USER_HEADER, plugin_config
from demo.models import Release, load_cases
from demo.place import Place
from demo.processes import answers
from demo.report import Report
from demo.stats import Snapshot
from demo.watch import StepFailed, Watch


class Stage:
    def __init__(self, place: Place, addresses: Addresses, watch: Watch, report: Report):
        self.addresses = addresses
        self.watch = watch
        self.token = secrets.token_urlsafe()
        self.tester_requests = 0
        _, self.held_out = load_cases()
        self._place = place
        self._report = report
        self._version = 0

    def say(self, title: str) -> None:
        self._report.begin_step(title, self.watch.elapsed_s())
        print(f"\n{self._report.steps[-1].number}. {title}", flush=True)

    def until(self, what: str, condition: Callable[[Snapshot], bool], timeout_s: float = 20) -> Snapshot:
        """Waits for what this step is about; the report shows the figures at that moment."""
        snapshot = self.watch.until(what, condition, timeout_s)
        self._report.end_step(self.watch.elapsed_s(), snapshot)
        return snapshot

    def expect(self, fact: bool, otherwise: str) -> None:
        if not fact:
            raise StepFailed(otherwise)

    def push(self, **config: Any) -> None:
        """Renames a new configuration into place and waits until it is in force."""
        self._version += 1
        fingerprint = self._place.config.push(plugin_config(f"demo-{self._version}", self.token, **config))
        self.watch.until(
            f"configuration demo-{self._version} is in force (Envoy's log says why)",
            lambda s: s.fingerprint == fingerprint,
        )

    def deploy(self, release: Release, color: str) -> None:
        """Replaces the model of one color's application and waits until it serves it."""
        self._place.deploy(release, color)
        url = f"http://{getattr(self.addresses, color)}/healthz"
        self.watch.until(f"{color} serves release {release.label}", lambda _: answers(url, release.label), 60)

    def expect_answer(self, release: Release, color: str, token: str) -> None:
        """What a tester gets who asks for green with `token`."""
        response = requests.post(
            f"http://{self.addresses.proxy}/predict",
            json={"features": self.held_out.features[0].tolist()},
            headers={USER_HEADER: "tester", OVERRIDE_HEADER: "green", TOKEN_HEADER: token},
            timeout=5,
        )
        response.raise_for_status()
        self.tester_requests += 1
        got = (response.headers[COLOR_HEADER], response.json()["release"])
        self.expect(got == (color, release.label), f"the tester got {got}, not {(color, release.label)}")
        print(f"  a tester asks for green with {'the' if token == self.token else 'a wrong'} token: {got}")
