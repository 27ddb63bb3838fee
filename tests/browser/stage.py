"""What a page is shown of: the shipped Envoy between real traffic and two upstreams, and a dashboard."""

import json
import os
import shutil
import time
from pathlib import Path

import yaml
from load import Load
from process import Process
from proxy import ROOT, WASM, Envoy, address
from upstream import Upstreams

PROGRAM = ROOT / "dist" / "bluegreen"
SHIPPED = ROOT / "envoy"
HOST = "shop.example"

ROLLOUT = {
    "name": "recommender",
    "clusters": {"blue": "blue", "green": "green"},
    "weights": {"blue": 90, "green": 10},
    "releases": {"blue": "2026-10", "green": "2026-11-rc1"},
    "sticky": [{"header": "x-user-id"}],
    "guard": {"window": "10s", "min_requests": 50, "max_error_rate": 60, "sequential": {}, "slow_after": "500ms"},
    "quality": {"min_samples": 500, "min_f1": 75, "max_f1_drop": 5},
}


class Stage:
    """Envoy in a directory of its own, with a file that it watches."""

    def __init__(self, directory: Path, rollouts=(ROLLOUT,)):
        directory.mkdir(parents=True, exist_ok=True)
        self.directory = directory
        self.file = directory / "bluegreen.yaml"
        self.write(rollouts)
        shutil.copyfile(WASM, directory / "bluegreen.wasm")
        self.upstreams = Upstreams()
        self.envoy = Envoy(bootstrap(self.upstreams.ports), directory, "envoy")
        self.port = self.envoy.port("ingress")
        self.envoy.until("the filter", lambda: self.stats("bluegreen_config_fingerprint"))
        self.load = None
        self.round = 0
        self.send()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.be_still()
        self.envoy.end()
        self.upstreams.__exit__()

    def send(self):
        """Users send requests from now on."""
        if self.load is None:
            self.load = Load([self.port], HOST, connections=3)
            self.load.__enter__()

    def be_still(self):
        """They do no more, and all that they have sent is answered."""
        if self.load is not None:
            self.load.__exit__()
            self.load = None

    def write(self, rollouts=(ROLLOUT,)):
        """Replaces the file by a rename, as an operator does."""
        new = self.directory / "bluegreen.yaml.new"
        new.write_text(ecds({"version": "2026-11-24.1", "rollouts": list(rollouts)}))
        os.replace(new, self.file)

    def stats(self, metric: str, **labels) -> float:
        """The sum of a metric as Prometheus reads it."""
        return self.envoy.metric(metric, **labels)

    def weight(self, color="green") -> float:
        return self.stats("bluegreen_weight_millipercent", color=color) / 1000


class Dashboard(Process):
    """`bluegreen dashboard` on a stage, ready when constructed."""

    def __init__(self, stage: Stage, *arguments, admins=(), name="dashboard"):
        admins = [f"http://{stage.envoy.admin_address}", *admins]
        options = [part for admin in admins for part in ("--admin", admin)]
        super().__init__([PROGRAM, "dashboard", "--listen", "127.0.0.1:0", *options, *arguments], stage.directory, name)
        try:
            self.url = self.until("the address", self._url)
        except BaseException:
            self.end()
            raise
        self.root, _, self.token = self.url.partition("#token=")

    def _url(self):
        return next((line for line in self.log().splitlines() if "#token=" in line), None)


def ecds(config: dict) -> str:
    """The shipped file with this configuration, each field of a rollout on a line of its own."""
    head = (SHIPPED / "bluegreen.yaml").read_text().partition("value: |\n")[0]
    head = head.replace("# proxy_on_response_body: {}", "proxy_on_response_body: {}")
    rollouts = []
    for rollout in config["rollouts"]:
        fields = ",\n".join(f"      {json.dumps(name)}: {json.dumps(value)}" for name, value in rollout.items())
        rollouts.append(f"    {{\n{fields}\n    }}")
    top = "".join(f"  {json.dumps(name)}: {json.dumps(value)},\n" for name, value in config.items() if name != "rollouts")
    text = "{\n" + top + '  "rollouts": [\n' + ",\n".join(rollouts) + "\n  ]\n}\n"
    return head + "value: |\n" + "".join(f"          {line}\n" for line in text.splitlines())


def bootstrap(ports: dict) -> dict:
    """The shipped one, on ports that are free."""
    document = yaml.safe_load((SHIPPED / "bootstrap.yaml").read_text())
    document["admin"]["address"] = address("127.0.0.1", 0)
    copies = {"pipe": {"path": "./shadow.sock"}}
    for listener in document["static_resources"]["listeners"]:
        listener["address"] = copies if listener["name"] == "shadow" else address("127.0.0.1", 0)
    for cluster in document["static_resources"]["clusters"]:
        name = cluster["name"]
        [locality] = cluster["load_assignment"]["endpoints"]
        [endpoint] = locality["lb_endpoints"]
        endpoint["endpoint"]["address"] = copies if name == "shadow" else address("127.0.0.1", ports[name])
    return document


def chromium() -> str:
    """The system's browser: CHROMIUM, or what Debian calls it."""
    names = [os.environ.get("CHROMIUM"), "chromium-headless-shell", "chromium"]
    found = next((path for path in map(shutil.which, filter(None, names)) if path), None)
    assert found, "chromium is not there: apt install chromium-headless-shell fonts-dejavu-core, or give CHROMIUM=/path"
    return found


def eventually(what: str, condition, patience=30.0):
    """The first true value of a condition."""
    deadline = time.monotonic() + patience
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, f"{what}: not in {patience} s"
        time.sleep(0.1)
