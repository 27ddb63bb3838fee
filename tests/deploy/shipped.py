"""The files of envoy/ on a real Envoy: its bootstrap on free ports, its upstreams, and the one file to edit."""

import json
import os
import shutil
from pathlib import Path

import yaml
from proxy import ROOT, WASM, Envoy

FILES = ROOT / "envoy"
SOCKETS = {10001: "blue-upstream", 10002: "green-upstream", 10003: "shadow"}


def plugin_file(config: dict) -> str:
    """bluegreen.yaml with this configuration of the filter, and all that it may need."""
    made = yaml.safe_load((FILES / "bluegreen.yaml").read_text())
    plugin = made["resources"][0]["typed_config"]["config"]
    plugin["configuration"]["value"] = json.dumps(config)
    plugin["capability_restriction_config"]["allowed_capabilities"]["proxy_on_response_body"] = {}
    return yaml.safe_dump(made)


def bootstrap(text: str) -> dict:
    """A bootstrap with the embedded upstreams of `make run`, on free ports; upstreams are behind sockets."""
    made = yaml.safe_load(text)
    made["admin"]["address"]["socket_address"]["port_value"] = 0
    static = made["static_resources"]
    for listener in static["listeners"]:
        if listener["name"] == "shadow":
            listener["address"] = pipe("shadow")
        else:
            listener["address"]["socket_address"]["port_value"] = 0
    for listener in yaml.safe_load((FILES / "upstreams.yaml").read_text())["static_resources"]["listeners"]:
        listener["address"] = pipe(listener["name"])
        static["listeners"].append(listener)
    for cluster in static.get("clusters", []):
        through_pipe(cluster)
    return made


def through_pipe(cluster: dict):
    """Puts the upstream of the cluster's address behind a cluster: 10001 is blue, 10002 is green, 10003 takes copies."""
    for endpoints in cluster["load_assignment"]["endpoints"]:
        for one in endpoints["lb_endpoints"]:
            port = one["endpoint"]["address"]["socket_address"]["port_value"]
            one["endpoint"]["address"] = pipe(SOCKETS[port])


def pipe(name: str) -> dict:
    return {"pipe": {"path": f"./{name}.sock"}}


def routes(made: dict, listener: str) -> list:
    """The routes of a listener of a bootstrap."""
    [found] = [one for one in made["static_resources"]["listeners"] if one["name"] == listener]
    manager = found["filter_chains"][0]["filters"][0]["typed_config"]
    return manager["route_config"]["virtual_hosts"][0]["routes"]


class Shipped(Envoy):
    """A started Envoy, in a directory of its own."""

    def __init__(self, directory: Path, files: dict, made=None):
        directory.mkdir(parents=True)
        shutil.copy(WASM, directory / "bluegreen.wasm")
        self.directory = directory
        for name, text in files.items():
            self.put(name, text)
        super().__init__(made or bootstrap((FILES / "bootstrap.yaml").read_text()), directory, "shipped")

    def put(self, name: str, text: str):
        """Replaces a file by a rename."""
        new = self.directory / f"{name}.new"
        new.write_text(text)
        os.rename(new, self.directory / name)

    def discovery(self) -> dict:
        """Envoy's counters of the filter's discovery."""
        prefix = "extension_config_discovery.http_filter.bluegreen."
        lines = [line.partition(": ") for line in self.admin("/stats").splitlines() if line.startswith(prefix)]
        counters = ("update_attempt", "update_success", "update_rejected", "update_failure", "config_reload", "config_fail")
        return {name: int(value) for key, _, value in lines if (name := key.removeprefix(prefix)) in counters}
