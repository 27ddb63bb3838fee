"""The services of docs/examples as blue and green behind the shipped Envoy."""

import copy
import hashlib
import os
import socket
import sys
from contextlib import ExitStack
from pathlib import Path

import requests
from process import Process
from proxy import ROOT
from shipped import FILES, Shipped, bootstrap, pipe, plugin_file

EXAMPLES = ROOT / "docs" / "examples"
TOKEN = "a token of the test"
PATH = "/bluegreen/feedback"
RELEASES = {"blue": "2026-10", "green": "2026-11"}
SERVERS = {
    "assistant": ["waitress", "--unix-socket", "{socket}", "{app}:app"],
    "recommender": ["uvicorn", "--uds", "{socket}", "{app}:app"],
}


def rollout(name: str, **fields) -> dict:
    """Half of its users on each color."""
    return {
        "name": name,
        "match": {"hosts": [f"{name}.example"]},
        "clusters": {color: f"{name}-{color}" for color in RELEASES},
        "weights": {"blue": 50, "green": 50},
        "sticky": [{"header": "x-user-id"}],
        "releases": RELEASES,
        **fields,
    }


def config(releases=RELEASES) -> dict:
    rating, click = {"better": "higher", "max_drop": 1}, {"better": "higher", "max_drop_percent": 50}
    cost = {"better": "lower", "max_rise_percent": 50}
    permission = {"token": {"header": "x-bluegreen-token", "sha256": hashlib.sha256(TOKEN.encode()).hexdigest()}}
    return {
        "color_header": "x-bluegreen-color",
        "feedback": {"path": PATH, "require": permission},
        "rollouts": [
            rollout("assistant", releases=releases, stream={"first_chunk": True, "sse_errors": True},
                    quality={"min_samples": 500, "scores": {"rating": rating}}),
            rollout("recommender", shadow={"percent": 100, "compare": True},
                    quality={"min_samples": 500, "scores": {"click": click, "cost": cost}}),
            rollout("fraud", clusters={color: f"recommender-{color}" for color in RELEASES}),
        ],
    }


class Stage:
    """All of it, ready when constructed. Services listen on sockets in Envoy's directory."""

    def __init__(self, directory: Path):
        self.directory = directory
        self.session = requests.Session()
        with ExitStack() as started:
            self.envoy = started.enter_context(Shipped(directory, {"bluegreen.yaml": plugin_file(config())}, clusters()))
            self.envoy.until("the filter", lambda: self.envoy.metric("bluegreen_config_fingerprint"))
            self.url = f"http://127.0.0.1:{self.envoy.port('ingress')}"
            services = [self.service(name, color) for name in SERVERS for color in RELEASES]
            for service in services:
                started.enter_context(service)
            for service in services:
                service.until("the socket", service.listens)
            self.started = started.pop_all()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.session.close()
        self.started.close()

    def environment(self, feedback=None) -> dict:
        """That of a service or job."""
        own = {"FEEDBACK_URL": feedback or self.url + PATH, "FEEDBACK_TOKEN": TOKEN}
        paths = os.pathsep.join([str(EXAMPLES), str(Path(__file__).parent)])
        return {**os.environ, **own, "PYTHONPATH": paths, "PYTHONDONTWRITEBYTECODE": "1"}

    def service(self, name: str, color: str):
        app = "another_recommender" if (name, color) == ("recommender", "green") else name
        return Service(self, f"{name}-{color}", [part.format(socket=f"{name}-{color}.sock", app=app) for part in SERVERS[name]],
                       {**self.environment(), "RELEASE": RELEASES[color]})

    def push(self, made: dict):
        before = self.envoy.metric("bluegreen_config_fingerprint")
        self.envoy.put("bluegreen.yaml", plugin_file(made))
        self.envoy.until("the push", lambda: self.envoy.metric("bluegreen_config_fingerprint") != before)

    def ask(self, method: str, rollout: str, path: str, user: str, **options):
        """A request of a user, which succeeds."""
        headers = {"host": f"{rollout}.example", "x-user-id": user}
        response = self.session.request(method, self.url + path, headers=headers, timeout=30, **options)
        assert response.ok, (response.status_code, response.text)
        return response

    def until(self, name: str, value: float, **labels):
        """Waits for the value of a metric."""
        self.envoy.until(f"{name} {labels} {value}, and not {self.envoy.metric(name, **labels)}",
                         lambda: self.envoy.metric(name, **labels) == value)


class Service(Process):
    def __init__(self, stage: Stage, name: str, arguments: list, env: dict):
        super().__init__([sys.executable, "-m", *arguments], stage.directory, name, env)
        self.socket = stage.directory / f"{name}.sock"

    def listens(self) -> bool:
        with socket.socket(socket.AF_UNIX) as client:
            return self.socket.exists() and client.connect_ex(str(self.socket)) == 0


def clusters() -> dict:
    """The shipped bootstrap with a cluster for each service."""
    made = bootstrap((FILES / "bootstrap.yaml").read_text())
    static = made["static_resources"]
    static["listeners"] = [one for one in static["listeners"] if not one["name"].endswith("-upstream")]
    [shipped] = [one for one in static["clusters"] if one["name"] == "blue"]
    for name in SERVERS:
        for color in RELEASES:
            cluster = copy.deepcopy(shipped)
            cluster["name"] = cluster["load_assignment"]["cluster_name"] = f"{name}-{color}"
            cluster["load_assignment"]["endpoints"][0]["lb_endpoints"][0]["endpoint"]["address"] = pipe(cluster["name"])
            static["clusters"].append(cluster)
    return made
