"""A running Envoy, and the pieces of its configuration."""

import json
import os
import urllib.error
import urllib.request
from pathlib import Path

from process import Process

ROOT = Path(__file__).resolve().parents[2]
ENVOY = os.environ.get("ENVOY") or str(ROOT / ".venv" / "envoy")
WASM = ROOT / "dist" / "bluegreen.wasm"

TYPES = "type.googleapis.com/"
HCM = TYPES + "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
WASM_FILTER = TYPES + "envoy.extensions.filters.http.wasm.v3.Wasm"
HTTP_OPTIONS = TYPES + "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
ROUTER = {
    "name": "envoy.filters.http.router",
    "typed_config": {"@type": TYPES + "envoy.extensions.filters.http.router.v3.Router"},
}


class Envoy(Process):
    """Ready when constructed."""

    def __init__(self, bootstrap: dict, directory: Path, name: str, arguments=()):
        directory.mkdir(parents=True, exist_ok=True)
        bootstrap.setdefault("admin", {"address": address("127.0.0.1", 0)})
        bootstrap.setdefault("node", {"id": name, "cluster": "test"})
        (directory / "bootstrap.json").write_text(json.dumps(bootstrap))
        admin = directory / "admin.txt"
        admin.unlink(missing_ok=True)
        super().__init__(
            [ENVOY, "-c", "./bootstrap.json", "--admin-address-path", "admin.txt", "--concurrency", "2",
             "--log-level", "warning", "--disable-hot-restart", *arguments], directory, name)
        try:
            self.until("the admin address", lambda: admin.exists() and admin.read_text())
            self.admin_address = admin.read_text()
            self.until("ready", lambda: self.admin("/ready").strip() == "LIVE")
        except BaseException:
            self.end()
            raise

    def admin(self, path: str) -> str:
        try:
            with urllib.request.urlopen(f"http://{self.admin_address}{path}", timeout=10) as response:
                return response.read().decode()
        except urllib.error.HTTPError as error:
            return error.read().decode()

    def stat(self, name: str) -> int:
        for line in self.admin("/stats?usedonly&filter=" + name.replace(".", "[.]")).splitlines():
            key, _, value = line.partition(": ")
            if key == name:
                return int(value)
        return 0

    def metric(self, name: str, **labels) -> float:
        """The sum of a metric of the filter as Prometheus reads it."""
        page = self.admin("/stats/prometheus?filter=wasmcustom.bluegreen")
        wanted = [f'{label}="{value}"' for label, value in labels.items()]
        lines = [line for line in page.splitlines() if line.split("{")[0].split(" ")[0] == name]
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines if all(label in line for label in wanted))

    def port(self, listener: str) -> int:
        """Where a listener that was given port 0 listens; waits for one that comes by discovery."""
        def bound():
            for status in json.loads(self.admin("/listeners?format=json")).get("listener_statuses", []):
                if status["name"] == listener:
                    return status["local_address"]["socket_address"]["port_value"]
        return self.until(f"listener {listener}", bound)


def address(host: str, port: int) -> dict:
    return {"socket_address": {"address": host, "port_value": port}}


def listener(name: str, port: int, hcm: dict) -> dict:
    manager = {"@type": HCM, "stat_prefix": name, "http_filters": [ROUTER], **hcm}
    chain = {"filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]}
    return {"name": name, "address": address("127.0.0.1", port), "filter_chains": [chain]}


def cluster(name: str, port: int, http2=False) -> dict:
    endpoint = {"endpoint": {"address": address("127.0.0.1", port)}}
    made = {
        "name": name,
        "connect_timeout": "1s",
        "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": [endpoint]}]},
    }
    if http2:
        explicit = {"@type": HTTP_OPTIONS, "explicit_http_config": {"http2_protocol_options": {}}}
        made["typed_extension_protocol_options"] = {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": explicit}
    return made


def wasm_filter(name: str, root_id: str, config: str, **plugin) -> dict:
    """The typed configuration of the filter with its own configuration as a StringValue."""
    vm = {"runtime": "envoy.wasm.runtime.v8", "code": {"local": {"filename": str(WASM)}}, **plugin.pop("vm", {})}
    value = {"@type": TYPES + "google.protobuf.StringValue", "value": config}
    plugin = {"name": name, "root_id": root_id, "vm_config": vm, "configuration": value, **plugin}
    return {"@type": WASM_FILTER, "config": plugin}


def ads(port: int) -> dict:
    """What a bootstrap needs to take its configuration from a control plane on this port."""
    source = {"api_type": "GRPC", "transport_api_version": "V3",
              "grpc_services": [{"envoy_grpc": {"cluster_name": "xds"}}]}
    return {"dynamic_resources": {"ads_config": source},
            "static_resources": {"clusters": [cluster("xds", port, http2=True)]}}


def upstream(color: str) -> dict:
    """A listener that answers with its color, and with the color header that it got."""
    route = {
        "match": {"prefix": "/"},
        "direct_response": {"status": 200, "body": {"inline_string": color}},
        "response_headers_to_add": [
            {"header": {"key": "x-served-by", "value": color}},
            {"header": {"key": "x-received-color", "value": "%REQ(x-bluegreen-color)%"}}],
    }
    hosts = [{"name": color, "domains": ["*"], "routes": [route]}]
    return listener(color, 0, {"route_config": {"virtual_hosts": hosts}})
