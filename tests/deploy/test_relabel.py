"""The relabel rules for an Envoy without stats tags, in a real Prometheus: the same series as with the tags."""

import http.client
import json
import time

import pytest
import yaml
from manifests import DEPLOY, one
from process import PATIENCE
from prometheus import Prometheus
from proxy import ROUTER, Envoy, cluster, listener, wasm_filter

RULES = DEPLOY / "prometheus" / "relabel.yaml"
COLOR = "x-bluegreen-color"
# Names in which parts of the stats' own names stand.
ROLLOUTS = ["rec", "a_color_blue", "guard_state", "x_cause_quality_", "rollout_7_color_green_y"]


def rollout(name: str) -> dict:
    """Every feature that has stats of its own."""
    step = {"weight": 10, "hold": "10h"}
    return {
        "name": name,
        "match": {"path_prefix": f"/{name}/"},
        "weights": {"blue": 50, "green": 50},
        "sticky": [{"header": "x-user-id"}],
        "override": {"header": "x-bluegreen", "require": "internal"},
        "ramp": {"start": "2100-01-01T00:00:00Z", "steps": [step, {"weight": 100}]},
        "guard": {"sequential": {}, "window": "30s", "min_requests": 10, "max_error_rate": 50, "max_error_rate_over_stable": 50,
                  "slow_after": "1s", "max_slow_rate": 50, "max_slow_rate_over_stable": 50},
        "releases": {"blue": "1", "green": "2"},
        "quality": {"min_samples": 10, "min_f1": 50, "scores": {
            "rating": {"better": "higher", "min": 1}, "x_color_blue_score": {"better": "lower", "max_rise_percent": 5}}},
        "stream": {"first_chunk": True, "sse_errors": True},
    }


CONFIG = {
    "color_header": COLOR,
    "feedback": {"path": "/feedback", "require": "nothing"},
    "rollouts": [rollout(name) for name in ROLLOUTS],
}


def start(directory, name: str, upstreams: dict, stats: dict) -> Envoy:
    """Envoy with the filter, without any of its extras."""
    made = wasm_filter("istio-ingress.bluegreen", "bluegreen", json.dumps(CONFIG), failure_policy="FAIL_OPEN")
    green = {"name": COLOR, "string_match": {"exact": "green"}}
    routes = [{"match": {"prefix": "/", "headers": [green]}, "route": {"cluster": "green"}},
              {"match": {"prefix": "/"}, "route": {"cluster": "blue"}}]
    hosts = [{"name": "all", "domains": ["*"], "routes": routes}]
    hcm = {"http_filters": [{"name": "bluegreen", "typed_config": made}, ROUTER],
           "route_config": {"virtual_hosts": hosts}}
    static = {"listeners": [listener("ingress", 0, hcm)],
              "clusters": [cluster(color, port) for color, port in upstreams.items()]}
    bootstrap = {"static_resources": static, "stats_config": stats, "stats_flush_interval": "0.5s"}
    return Envoy(bootstrap, directory, name)


def send(port: int, method: str, path: str, headers=()) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request(method, path, headers=dict(headers))
        response = connection.getresponse()
        response.read()
        return response.status
    finally:
        connection.close()


def use(envoy: Envoy):
    """The same requests to each."""
    port = envoy.port("ingress")
    for name in ROLLOUTS:
        for user in range(20):
            assert send(port, "GET", f"/{name}/", {"x-user-id": f"u{user}"}) == 200
        assert send(port, "GET", f"/{name}/", {"x-bluegreen": "green", "x-user-id": "u"}) == 200
        for count in ("tp=3", "fp=2", "fn=1", "tn=4", "score.rating=4.5&score.x_color_blue_score=2"):
            assert send(port, "POST", f"/feedback?rollout={name}&color=green&{count}") == 204
    assert send(port, "GET", "/unmatched") == 200


@pytest.fixture(scope="module")
def scraped(upstreams, tmp_path_factory):
    place = tmp_path_factory.mktemp("relabel")
    rules = yaml.safe_load(RULES.read_text())["metric_relabel_configs"]
    [patch] = one("istio", "EnvoyFilter", "bluegreen-stats")["spec"]["configPatches"]
    tagged = patch["patch"]["value"]["stats_config"]
    untagged = {"histogram_bucket_settings": tagged["histogram_bucket_settings"]}
    with (start(place / "tagged", "tagged", upstreams, tagged) as with_tags,
          start(place / "untagged", "untagged", upstreams, untagged) as without_tags):
        for envoy in (with_tags, without_tags):
            use(envoy)
        jobs = {"tagged": (with_tags, []), "relabeled": (without_tags, rules), "bare": (without_tags, [])}
        with Prometheus(place / "prometheus", jobs) as prometheus:
            yield prometheus


def settled(prometheus) -> tuple:
    """The samples of both, as soon as the counters are the same."""
    def counters(samples):
        return {series: value for series, value in samples.items() if dict(series)["__name__"].endswith("_total")}

    deadline = time.monotonic() + PATIENCE
    while True:
        tagged, relabeled = prometheus.samples("tagged"), prometheus.samples("relabeled")
        equal = tagged and counters(tagged) == counters(relabeled)
        if (equal and tagged.keys() == relabeled.keys()) or time.monotonic() > deadline:
            differ = {series: (value, counters(relabeled).get(series)) for series, value in counters(tagged).items()
                      if counters(relabeled).get(series) != value}
            return tagged, relabeled, differ
        time.sleep(0.1)


def test_names_and_labels_are_those_of_an_envoy_with_tags(scraped, record_property):
    tagged, relabeled, differ = settled(scraped)
    assert relabeled.keys() - tagged.keys() == set()
    assert tagged.keys() - relabeled.keys() == set()
    assert differ == {}
    names = {dict(series)["__name__"] for series in tagged}
    record_property("seen", f"relabel: {len(tagged)} series of {len(names)} names are the same with and without tags")


def test_each_label_and_kind_of_metric_was_compared(scraped):
    tagged, _, _ = settled(scraped)
    names = {dict(series)["__name__"] for series in tagged}
    labels = {label for series in tagged for label, _ in series}
    assert labels == {"__name__", "rollout", "color", "reason", "code_class", "outcome", "cause", "le", "score",
                      "limit"}
    assert {"bluegreen_response_start_ms_bucket", "bluegreen_response_start_ms_sum", "bluegreen_guard_state",
            "bluegreen_guard_trips_total", "bluegreen_guard_evidence_percent", "bluegreen_override_denied_total",
            "bluegreen_config_fingerprint", "bluegreen_unmatched_total", "bluegreen_quality_f1_ppm",
            "bluegreen_in_flight", "bluegreen_score_mean_micro", "bluegreen_quality_verdict"} <= names
    assert {dict(series)["rollout"] for series in tagged if "rollout" in dict(series)} == set(ROLLOUTS)
    taken = ("__name__", "bluegreen_quality_outcomes_total"), ("color", "green"), ("outcome", "tp"), ("rollout", "rec")
    assert tagged[taken] == 3


def test_without_the_rules_there_are_no_labels(scraped):
    bare = scraped.until("the first scrape", lambda: scraped.samples("bare"))
    labels = {label for series in bare for label, _ in series}
    assert labels == {"__name__", "le"}
