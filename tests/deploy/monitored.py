"""An Envoy under traffic, a Prometheus with the shipped rules, and an Alertmanager with the shipped routes."""

import json
import time
import urllib.request

import yaml
from listener import Listener
from load import Load
from manifests import DEPLOY
from process import Process
from prometheus import Prometheus, wanted
from shapes import HOST, free_port
from shipped import FILES, Shipped, bootstrap, plugin_file, routes

RULES = [DEPLOY / "prometheus" / name for name in ("recording.yaml", "alerts.yaml")]
ROUTES = DEPLOY / "alertmanager" / "alertmanager.yaml"
TOKEN = "a token of the test"
MODELS = "models.example.com"


def config(version: str) -> dict:
    """Rollouts with every feature that has stats of its own, and one that will be rolled back."""
    clusters, sticky = {"blue": "blue", "green": "green"}, [{"header": "x-user-id"}]
    step = {"weight": 30, "hold": "1000d", "min_requests": 0}
    return {
        "version": version,
        "feedback": {"path": "/feedback", "require": "nothing"},
        "rollouts": [{
            "name": "recommender", "clusters": clusters, "weights": {"blue": 70, "green": 30}, "sticky": sticky,
            "override": {"header": "x-bluegreen", "require": "internal"},
            "ramp": {"start": "2026-01-01T00:00:00Z", "steps": [step, {"weight": 100}]},
            "guard": {"sequential": {}, "window": "30s", "min_requests": 10, "max_error_rate": 90, "slow_after": "5s"},
            "releases": {"blue": "1", "green": "2"},
            "quality": {"min_samples": 10, "min_f1": 10},
        }, {
            "name": "broken", "match": {"path_prefix": "/broken/"}, "clusters": clusters, "sticky": sticky,
            "weights": {"blue": 50, "green": 50},
            "guard": {"window": "30s", "min_requests": 10, "max_error_rate": 20},
        }, {
            "name": "assistant", "match": {"hosts": [MODELS]}, "clusters": clusters, "sticky": sticky,
            "weights": {"blue": 50, "green": 50},
            "shadow": {"percent": 100, "compare": True},
            "stream": {"first_chunk": True},
            "quality": {"min_samples": 1000, "scores": {"cost": {"better": "lower", "max_rise": 1}}},
        }],
    }


def failing(made: dict) -> dict:
    """Upstreams that fail for one user in ten, and a green one that fails for all of the rollout `broken`. Each tells with its
    answers what they cost, and how they differ from the other's."""
    def fail(**match):
        return {"match": {"prefix": "/", **match}, "direct_response": {"status": 500}}
    for color in ("blue", "green"):
        told = {"x-bluegreen-score": "cost=0.5", "x-bluegreen-label": color}
        added = [{"header": {"key": name, "value": value}} for name, value in told.items()]
        routes(made, f"{color}-upstream")[-1]["response_headers_to_add"] = added
    unlucky = fail(headers=[{"name": "x-user-id", "string_match": {"suffix": "7"}}])
    routes(made, "blue-upstream").insert(0, unlucky)
    routes(made, "green-upstream")[:0] = [fail(prefix="/broken/"), unlucky]
    return made


class Receiver(Listener):
    """What the local Slack and webhook were sent, with the token that came along."""

    def __init__(self):
        self.got = []
        super().__init__()

    def receive(self, request, body):
        self.got.append((request.path, json.loads(body), request.headers["authorization"]))
        request.send_response(200)
        request.end_headers()
        request.wfile.write(b"ok")

    def at(self, path: str) -> list:
        return [(body, token) for where, body, token in self.got if where == path]


class Alertmanager(Process):
    """With the shipped file; only its addresses, the places of its secrets and its waiting times are the test's."""

    def __init__(self, directory, receiver: Receiver):
        wanted(("prometheus-alertmanager", "prometheus-alertmanager"))
        directory.mkdir()
        (directory / "slack-url").write_text(receiver.url + "/slack")
        (directory / "webhook-token").write_text(TOKEN)
        text = ROUTES.read_text().replace("/etc/alertmanager/", f"{directory}/")
        text = text.replace("https://releases.example.com/alerts", receiver.url + "/alerts")
        made = yaml.safe_load(text)
        made["route"].update(group_wait="100ms", group_interval="1s")
        (directory / "alertmanager.yaml").write_text(yaml.safe_dump(made))
        self.address = f"127.0.0.1:{free_port()}"
        super().__init__(["prometheus-alertmanager", "--config.file=alertmanager.yaml", "--storage.path=data",
                          f"--web.listen-address={self.address}", "--cluster.listen-address="], directory, "alertmanager")


class Monitored:
    """All of it, started in a directory; what it has seen can be asked of Prometheus and the receiver."""

    def __init__(self, directory):
        self.started = []
        try:
            self.receiver = self.begin(Receiver())
            alertmanager = self.begin(Alertmanager(directory / "alertmanager", self.receiver))
            made = failing(bootstrap((FILES / "bootstrap.yaml").read_text()))
            self.envoy = self.begin(Shipped(directory / "envoy", {"bluegreen.yaml": plugin_file(config("1"))}, made))
            self.port = self.envoy.port("ingress")
            self.prometheus = self.begin(Prometheus(
                directory / "prometheus", {"envoy": (self.envoy, [])}, rules=RULES, alertmanager=alertmanager.address))
            for host in (HOST, MODELS):
                self.begin(Load([self.port], host, connections=1))
            self.since = time.time()
            self.prometheus.until("the first scrape", lambda: self.prometheus.samples("envoy"))
            self.happen()
        except BaseException:
            self.end()
            raise

    def begin(self, one):
        self.started.append(one.__enter__())
        return one

    def happen(self):
        """Feedback, a push, and a rollback."""
        for color in ("blue", "green"):
            self.post(f"/feedback?rollout=recommender&color={color}&tp=80&fp=5&fn=5&tn=10")
        self.envoy.put("bluegreen.yaml", plugin_file(config("2")))

        def rolled_back():
            for user in range(20):
                self.post("/broken/", f"u{user}x")
            return 'bluegreen_guard_state{rollout="broken"} 2' in self.envoy.admin("/stats/prometheus")
        self.envoy.until("a rollback", rolled_back)

    def post(self, path: str, user="u"):
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", b"", {"x-user-id": user})
        try:
            urllib.request.urlopen(request, timeout=10).close()
        except urllib.error.HTTPError as error:
            error.close()

    def end(self):
        for one in reversed(self.started):
            one.__exit__()
