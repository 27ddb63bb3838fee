"""What is measured: the routes, the HTTP filters and the plugin configuration of each variant."""

import json
from dataclasses import dataclass

PREFIX = {"prefix": "/"}
PLAIN = [{"match": PREFIX, "route": {"cluster": "blue", "timeout": "15s"}}]
WEIGHTED = [{
    "match": PREFIX,
    "route": {
        "timeout": "15s",
        "hash_policy": [{"header": {"header_name": "x-user-id"}}],
        "weighted_clusters": {
            "use_hash_policy": True,
            "clusters": [{"name": "blue", "weight": 50}, {"name": "green", "weight": 50}],
        },
    },
}]
BY_HEADER = [{"match": PREFIX, "route": {"cluster_header": "x-bench-cluster", "timeout": "15s"}}]

TYPE = "type.googleapis.com/envoy.extensions.filters.http"
LUA = {
    "name": "lua",
    "typed_config": {
        "@type": f"{TYPE}.lua.v3.Lua",
        "default_source_code": {"filename": "./split.lua"},
    },
}
LEAST_CAPABILITIES = [
    "proxy_on_context_create", "proxy_on_vm_start", "proxy_on_configure",
    "proxy_on_request_headers", "proxy_on_delete",
]
SPLITTING_CAPABILITIES = [
    *LEAST_CAPABILITIES, "proxy_get_header_map_pairs", "proxy_replace_header_map_value",
]


def wasm(name: str, capabilities: list[str]) -> dict:
    """A Wasm filter of this bench; an empty list of capabilities allows all of them."""
    config = {
        "name": name,
        "vm_config": {
            "vm_id": name,
            "runtime": "envoy.wasm.runtime.v8",
            "code": {"local": {"filename": f"./{name}.wasm"}},
        },
    }
    if capabilities:
        allowed = {capability: {} for capability in capabilities}
        config["capability_restriction_config"] = {"allowed_capabilities": allowed}
    return {"name": name, "typed_config": {"@type": f"{TYPE}.wasm.v3.Wasm", "config": config}}


@dataclass(frozen=True)
class Variant:
    """One way to serve the same request.

    `routes` None keeps the shipped routes. `filters` are static filters; `plugin` given means this
    filter, loaded as the shipped files load it but for the capabilities `withheld` and those `allowed` beside, with this
    plugin configuration. `etcd_port` given means the shipped cluster `etcd` with this port.
    """

    name: str
    title: str
    routes: list | None = None
    filters: tuple = ()
    plugin: dict | None = None
    withheld: tuple[str, ...] = ()
    allowed: tuple[str, ...] = ()
    etcd_port: int | None = None

    @property
    def splits(self) -> bool:
        """Whether requests go to green too: all but those with one cluster for all."""
        return self.routes not in (PLAIN, BY_HEADER)


# === the plugin's configurations ===

CLUSTERS = {"blue": "blue", "green": "green"}
HALF = {"blue": 50, "green": 50}
ALL_GREEN = {"blue": 0, "green": 100}
ALL_BLUE = {"blue": 100, "green": 0}
TOKEN = {"token": {"header": "x-bluegreen-token", "sha256": "ab" * 32}}
EVERY_FEATURE = {
    "override": {"header": "x-bluegreen", "cookie": "bluegreen-override", "require": "internal"},
    # Long begun, and held at its first step for want of samples: the same weight at any time of day.
    "ramp": {
        "start": "2020-01-01T00:00:00Z",
        "steps": [{"weight": 50, "hold": "30d"}, {"weight": 100}],
    },
    "guard": {
        "window": "30s", "min_requests": 100, "max_error_rate": 5, "max_error_rate_over_stable": 2,
        "slow_after": "800ms", "max_slow_rate": 20, "max_slow_rate_over_stable": 10,
    },
    "releases": {"blue": "1", "green": "2"},
    "quality": {"min_samples": 500, "max_f1_drop": 1, "min_f1": 80},
}


def one_rollout(sticky: dict, **features: dict) -> dict:
    """One rollout that takes every request."""
    rollout = {"name": "bench", "clusters": CLUSTERS, "weights": HALF, "sticky": [sticky], **features}
    return {"rollouts": [rollout]}


def many_rollouts(count: int, weights: dict = HALF) -> dict:
    """Rollouts over ten hosts and a hundred prefixes each; the one the requests fit stands last."""
    def rollout(i: int) -> dict:
        return {
            "name": f"service-{i}",
            "match": {
                "hosts": [f"shop-{i % 10}.example.com"],
                "path_prefix": f"/service-{i // 10}/",
            },
            "clusters": CLUSTERS,
            "weights": weights,
            "sticky": [{"header": "x-user-id"}],
        }
    return {"rollouts": [rollout(i) for i in reversed(range(count))]}


def everything(count: int) -> dict:
    """Every feature on, for each of the rollouts."""
    policy = {
        "version": "bench",
        "color_header": "x-bluegreen-color",
        "feedback": {"path": "/bluegreen/feedback", "require": TOKEN},
        **many_rollouts(count),
    }
    for rollout in policy["rollouts"]:
        rollout |= {"sticky": [{"cookie": "uid"}], **EVERY_FEATURE}
    return policy


def plugin_text(plugin: dict) -> str:
    return json.dumps(plugin, separators=(",", ":"))


# === the table's rows ===

PLAIN_ROUTE = Variant("plain", "plain route, one cluster", PLAIN)
NOOP = Variant("noop", "no-op Wasm filter (SDK)", PLAIN, (wasm("noop", []),))
NOOP_RESTRICTED = Variant(
    "noop-restricted", "no-op Wasm filter (SDK), only the callbacks it uses allowed",
    PLAIN, (wasm("noop", LEAST_CAPABILITIES),))
FLOOR = Variant(
    "floor", "the least Wasm that splits (SDK): all headers read, the routing header set, no key, no stats",
    filters=(wasm("floor", SPLITTING_CAPABILITIES),))
STICKY = Variant(
    "sticky", "bluegreen, one sticky header", plugin=one_rollout({"header": "x-user-id"}))
STICKY_COOKIE = Variant(
    "cookie", "bluegreen, one sticky cookie", plugin=one_rollout({"cookie": "uid"}))
EVERYTHING = Variant(
    "everything", "bluegreen, everything on, 1,000 rollouts", plugin=everything(1000))
EVERYTHING_SIGNALLED = Variant(
    "everything-signalled", "bluegreen, everything on, 1,000 rollouts, profile `signalled`",
    plugin=everything(1000) | {"profile": "signalled"})
SIGNALLED = Variant(
    "signalled", "bluegreen, one sticky header, profile `signalled`",
    plugin=one_rollout({"header": "x-user-id"}) | {"profile": "signalled"})
GUARD = {"window": "30s", "min_requests": 100, "max_error_rate": 5, "max_error_rate_over_stable": 2}
LEAN = Variant(
    "lean", "bluegreen, one sticky header and a guard, profile `lean`",
    plugin=one_rollout({"header": "x-user-id"}, guard=GUARD) | {"profile": "lean"},
    withheld=("proxy_on_response_headers",))



def in_fleet(etcd_port: int) -> Variant:
    """`STICKY` in a fleet of its own."""
    plugin = one_rollout({"header": "x-user-id"}) | {"fleet": {"cluster": "etcd"}}
    return Variant("fleet", "bluegreen, one sticky header, in a fleet", plugin=plugin, etcd_port=etcd_port)


COMPARED = [
    PLAIN_ROUTE,
    Variant("weighted", "native `weighted_clusters` with `use_hash_policy`", WEIGHTED),
    Variant("cluster-header", "`cluster_header` alone, set by the client", BY_HEADER),
    Variant("lua", "Lua: hash a header, set the cluster, no stats", filters=(LUA,)),
    NOOP,
    NOOP_RESTRICTED,
    FLOOR,
    STICKY,
    SIGNALLED,
    LEAN,
    EVERYTHING,
    EVERYTHING_SIGNALLED,
]
STREAM = Variant(
    "stream", "bluegreen, `stream` with `first_chunk`",
    plugin=one_rollout({"header": "x-user-id"}, stream={"first_chunk": True}), allowed=("proxy_on_response_body",))
STREAM_EVENTS = Variant(
    "stream-events", "bluegreen, `stream` with `first_chunk` and `sse_errors`",
    plugin=one_rollout({"header": "x-user-id"}, stream={"first_chunk": True, "sse_errors": True}),
    allowed=("proxy_on_response_body",))
STREAMED = [PLAIN_ROUTE, NOOP, NOOP_RESTRICTED, STICKY, STREAM, STREAM_EVENTS]
UNCOPIED = Variant(
    "uncopied", "no copies", plugin=one_rollout({"header": "x-user-id"}, weights=ALL_BLUE))
COPIED = Variant(
    "copied", "copies of all requests",
    plugin=one_rollout({"header": "x-user-id"}, weights=ALL_BLUE, shadow={"percent": 100}))
ROLLOUT_COUNTS = [1, 10, 100, 1000]


def with_rollouts(count: int) -> Variant:
    return Variant(
        f"rollouts-{count}", f"bluegreen, {count:,} rollouts", plugin=many_rollouts(count))
