"""What Istio, Envoy Gateway and a mounted ConfigMap make Envoy run of the manifests."""

import os
import re
import socket
from pathlib import Path

import yaml
from control_plane import ECDS, LDS, ControlPlane
from manifests import ecds, one, plugin_config
from proxy import ROUTER, TYPES, WASM, WASM_FILTER, Envoy, ads, cluster, listener, wasm_filter

HOST = "api.example.com"
HEADER_MUTATION = TYPES + "envoy.extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation"
LISTENER = TYPES + "envoy.config.listener.v3.Listener"
EXTENSION = TYPES + "envoy.config.core.v3.TypedExtensionConfig"
RBAC = TYPES + "envoy.extensions.filters.http.rbac.v3.RBAC"
FILTER_CONFIG = TYPES + "envoy.config.route.v3.FilterConfig"


def exact(name: str, value: str) -> dict:
    return {"name": name, "string_match": {"exact": value}}


def virtual_host(routes: list) -> dict:
    return {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": routes}]}


class Istio:
    """A WasmPlugin: ECDS on the stream of the control plane, the configuration as a StringValue, no vm_id,
    no capability list. The name is the resource's, the root id the plugin's name."""

    name = "istio-ingress.bluegreen"
    folder = "istio"
    envoy = None

    def __init__(self, directory: Path, upstreams: dict, first=None, plane=None, node="istio"):
        self.node = node
        self.own_plane = not plane
        self.plane = plane or ControlPlane()
        try:
            if self.own_plane:
                self.push_text(first) if first else self.push(0)
            self.envoy = Envoy(self.bootstrap(upstreams), directory, node)
        except BaseException:
            self.end()
            raise

    def bootstrap(self, upstreams):
        found = ads(self.plane.port)
        source = {"config_source": {"ads": {}, "initial_fetch_timeout": "0s", "resource_api_version": "V3"},
                  "type_urls": [WASM_FILTER, RBAC]}
        [strip] = one("istio", "EnvoyFilter", "bluegreen-strip-header")["spec"]["configPatches"]
        hcm = {**strip["patch"]["value"]["typed_config"],
               "http_filters": [{"name": self.name, "config_discovery": source}, ROUTER],
               "route_config": virtual_host([self.route(rule) for rule in one("istio", "VirtualService")["spec"]["http"]])}
        [stats] = one("istio", "EnvoyFilter", "bluegreen-stats")["spec"]["configPatches"]
        static = found["static_resources"]
        static["listeners"] = [listener("ingress", 0, hcm)]
        static["clusters"] += [cluster(color, port) for color, port in upstreams.items()]
        return {**found, **stats["patch"]["value"]}

    @staticmethod
    def route(rule: dict) -> dict:
        [destination] = rule["route"]
        headers = [exact(name, how["exact"])
                   for match in rule.get("match", []) for name, how in match["headers"].items()]
        return {"match": {"prefix": "/", "headers": headers},
                "route": {"cluster": destination["destination"]["subset"]},
                "request_headers_to_remove": rule["headers"]["request"]["remove"]}

    def push(self, green: int) -> str:
        return self.push_text(plugin_config("istio", green))

    def push_text(self, text: str, code=WASM) -> str:
        spec = one("istio", "WasmPlugin")["spec"]
        made = wasm_filter(self.name, spec["pluginName"], text, failure_policy=spec["failStrategy"],
                           vm={"code": {"local": {"filename": str(code)}}})
        return self.send(made)

    def absent(self) -> str:
        """What Istio's agent sends in place of a filter whose image can't be fetched, with FAIL_OPEN."""
        return self.send({"@type": RBAC})

    def send(self, made: dict) -> str:
        return self.plane.push(ECDS, [{"@type": EXTENSION, "name": self.name, "typed_config": made}])

    def refused(self, version: str) -> bool:
        return self.plane.verdict(ECDS, version, [self.node])[self.node] is not None

    def end(self):
        if self.envoy:
            self.envoy.end()
        if self.own_plane:
            self.plane.__exit__()


class EnvoyGateway:
    """An EnvoyExtensionPolicy: the filter inline in the connection manager of a listener that comes by LDS,
    disabled there and enabled on each route of the HTTPRoute; a vm_id of its own."""

    name = "envoy.filters.http.wasm/envoyextensionpolicy/default/bluegreen/wasm/0"
    folder = "envoy-gateway"
    # Those of Envoy Gateway's own that matter here.
    ARGUMENTS = ("--drain-strategy", "immediate", "--drain-time-s", "60")
    envoy = None

    def __init__(self, directory: Path, upstreams: dict, first=None):
        self.plane = ControlPlane()
        try:
            proxy = one("envoy-gateway", "EnvoyProxy")["spec"]
            bootstrap = {**ads(self.plane.port), **yaml.safe_load(proxy["bootstrap"]["value"])}
            bootstrap["dynamic_resources"]["lds_config"] = {"ads": {}, "resource_api_version": "V3"}
            bootstrap["static_resources"]["clusters"] += [cluster(color, port) for color, port in upstreams.items()]
            self.push_text(first) if first else self.push(0)
            self.envoy = Envoy(bootstrap, directory, "gateway", self.ARGUMENTS)
        except BaseException:
            self.end()
            raise

    def push(self, green: int) -> str:
        return self.push_text(plugin_config("envoy-gateway", green))

    def push_text(self, text: str, code=WASM) -> str:
        [wasm] = one("envoy-gateway", "EnvoyExtensionPolicy")["spec"]["wasm"]
        made = wasm_filter(self.name, wasm["rootID"], text,
                           failure_policy="FAIL_OPEN" if wasm["failOpen"] else "FAIL_CLOSED",
                           vm={"vm_id": self.name, "code": {"local": {"filename": str(code)}}})
        return self.send([{"name": self.name, "disabled": True, "typed_config": made}])

    def absent(self) -> str:
        """The listener without the filter, where the code can't be fetched, with failOpen."""
        return self.send([])

    def send(self, filters: list) -> str:
        early = one("envoy-gateway", "ClientTrafficPolicy")["spec"]["headers"]["earlyRequestHeaders"]
        strip = {"@type": HEADER_MUTATION, "mutations": [{"remove": name} for name in early["remove"]]}
        routes = [self.route(rule) for rule in one("envoy-gateway", "HTTPRoute")["spec"]["rules"]]
        for route in routes:
            route["typed_per_filter_config"] = {
                made["name"]: {"@type": FILTER_CONFIG, "config": {}} for made in filters}
        hcm = {"early_header_mutation_extensions": [{"name": "early", "typed_config": strip}],
               "http_filters": [*filters, ROUTER],
               "route_config": virtual_host(routes)}
        return self.plane.push(LDS, [{"@type": LISTENER, **listener("ingress", 0, hcm)}])

    @staticmethod
    def route(rule: dict) -> dict:
        [backend] = rule["backendRefs"]
        [match] = rule["matches"]
        [modifier] = rule["filters"]
        headers = [exact(header["name"], header["value"]) for header in match.get("headers", [])]
        return {"match": {"prefix": match["path"]["value"], "headers": headers},
                "route": {"cluster": backend["name"].rpartition("-")[2]},
                "request_headers_to_remove": modifier["requestHeaderModifier"]["remove"]}

    def refused(self, version: str) -> bool:
        return self.plane.verdict(LDS, version, ["gateway"])["gateway"] is not None

    def end(self):
        if self.envoy:
            self.envoy.end()
        self.plane.__exit__()


class Kubernetes:
    """The Deployment's Envoy on its two ConfigMaps, mounted as the kubelet does."""

    folder = "kubernetes"

    def __init__(self, directory: Path, upstreams: dict, first=None):
        self.mount = directory / "bluegreen"
        self.mount.mkdir(parents=True)
        self.places = {"/etc/bluegreen-code": str(directory / "code"), "/etc/bluegreen": str(self.mount)}
        self.versions = 0
        self.verdicts = (1, 0)
        self.push_text(first) if first else self.push(0)
        [container] = one("kubernetes", "Deployment")["spec"]["template"]["spec"]["containers"]
        arguments = [argument.replace("$(POD_NAME)", "pod") for argument in container["args"]]
        # The testbed names its own bootstrap, and says so itself that there is no hot restart.
        for own in ("--config-path", "/etc/envoy/envoy.yaml", "--disable-hot-restart"):
            arguments.remove(own)
        self.envoy = Envoy(self.bootstrap(upstreams), directory, "kubernetes", arguments)

    def bootstrap(self, upstreams):
        """The ConfigMap's, on loopback and with free ports."""
        text = one("kubernetes", "ConfigMap", "bluegreen-envoy")["data"]["envoy.yaml"]
        made = yaml.safe_load(self.placed(text, WASM))
        ports = {**upstreams, "admin": free_port()}
        made["admin"]["address"]["socket_address"]["port_value"] = ports["admin"]
        for to in made["static_resources"]["listeners"]:
            to["address"]["socket_address"].update(address="127.0.0.1", port_value=0)
        for to in made["static_resources"]["clusters"]:
            [endpoints] = to["load_assignment"]["endpoints"]
            [endpoint] = endpoints["lb_endpoints"]
            endpoint["endpoint"]["address"]["socket_address"].update(
                address="127.0.0.1", port_value=ports[to["name"]])
        return made

    def placed(self, text: str, code) -> str:
        text = text.replace("/etc/bluegreen-code/bluegreen.wasm", str(code))
        return text.replace("/etc/bluegreen", str(self.mount))

    def push(self, green: int) -> str:
        return self.push_text(plugin_config("kubernetes", green))

    def push_text(self, text: str, code=WASM) -> str:
        resource = ecds(one("kubernetes", "ConfigMap", "bluegreen-rollout"))
        resource["typed_config"]["config"]["configuration"]["value"] = text
        self.versions += 1
        self.replace(self.placed(yaml.safe_dump({"resources": [resource]}), code))
        return str(self.versions)

    def replace(self, content: str):
        """What the kubelet does: a new directory, and a rename of the symlink `..data` to it."""
        data, link, file = self.mount / f"..{self.versions}", self.mount / "..data", self.mount / "bluegreen.yaml"
        data.mkdir()
        (data / "bluegreen.yaml").write_text(content)
        new = self.mount / "..data_tmp"
        new.symlink_to(data.name)
        before = os.readlink(link) if link.is_symlink() else None
        os.rename(new, link)
        if not file.is_symlink():
            file.symlink_to("..data/bluegreen.yaml")
        if before:
            (self.mount / before / "bluegreen.yaml").unlink()
            (self.mount / before).rmdir()

    def refused(self, _version: str) -> bool:
        """Whether the newest change was refused; asked once for each."""
        def changed():
            stats = self.envoy.admin("/stats?filter=http_filter[.]bluegreen[.]update_")
            count = {name: int(value) for name, value in re.findall(r"(update_\w+): (\d+)", stats)}
            now = count["update_success"], count["update_rejected"] + count["update_failure"]
            return now if now != self.verdicts else None
        before, self.verdicts = self.verdicts, self.envoy.until("a verdict", changed)
        return self.verdicts[1] > before[1]

    def end(self):
        self.envoy.end()


class Rename(Kubernetes):
    """The same with a plain file that is replaced by a rename, as `mv` does; nothing watches a directory."""

    def bootstrap(self, upstreams):
        made = super().bootstrap(upstreams)
        [chain] = made["static_resources"]["listeners"][0]["filter_chains"]
        first = chain["filters"][0]["typed_config"]["http_filters"][0]
        del first["config_discovery"]["config_source"]["path_config_source"]["watched_directory"]
        return made

    def replace(self, content: str):
        new = self.mount / "new"
        new.write_text(content)
        os.rename(new, self.mount / "bluegreen.yaml")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]
