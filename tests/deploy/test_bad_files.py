"""Which of Envoy's counters rises for which kind of bad file: the table in docs/operations.md."""

import json
import subprocess
import time

import pytest
from load import get
from proxy import ENVOY
from shapes import HOST
from shipped import FILES, Shipped, bootstrap

GOOD = (FILES / "bluegreen.yaml").read_text()
RESOURCE = GOOD.partition("resources:\n")[2]
ROUTER = """
resources:
- "@type": type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig
  name: bluegreen
  typed_config: { "@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router }
"""

# What each kind of bad file makes rise, beside update_attempt.
BY_THE_FILTER = {"update_rejected": 1, "config_fail": 1, "config_reload": 1}
BY_ENVOY = {"update_rejected": 1, "config_fail": 1}
UNREAD = {"update_failure": 1, "config_fail": 1}
TAKEN = {"update_success": 1, "config_reload": 1}
KINDS = {
    "a value is wrong": (GOOD.replace('"blue": 90', '"blue": 91'), BY_THE_FILTER),
    "the JSON is broken": (GOOD.replace('"version": "1",', '"version": "1"'), BY_THE_FILTER),
    "the code is not there": (GOOD.replace("./bluegreen.wasm", "./nothing.wasm"), BY_THE_FILTER),
    "the code is no Wasm": (GOOD.replace("./bluegreen.wasm", "./bootstrap.json"), BY_THE_FILTER),
    "Envoy lacks the runtime": (GOOD.replace("runtime.v8", "runtime.wamr"), BY_THE_FILTER),
    "a capability is missing": (GOOD.replace("          proxy_define_metric: {}\n", ""), BY_THE_FILTER),
    "there is no resource": ("resources: []\n", BY_ENVOY),
    "there are two resources": (GOOD + RESOURCE, BY_ENVOY),
    "the resource has another name": (GOOD.replace("  name: bluegreen\n", "  name: other\n", 1), BY_ENVOY),
    "it is another filter": (ROUTER, BY_ENVOY),
    "it is no YAML": (GOOD.replace("resources:\n", "resources: [\n"), UNREAD),
    "it is empty": ("", UNREAD),
    "a type is unknown": (GOOD.replace("wasm.v3.Wasm\n", "wasm.v3.Wasn\n"), UNREAD),
    "Envoy does not know a field": (GOOD.replace("failure_policy:", "failure_polici:"), TAKEN),
    "a cluster does not exist": (GOOD.replace('"green": "green"', '"green": "nowhere"'), TAKEN),
}


@pytest.fixture(scope="module")
def envoy(tmp_path_factory):
    with Shipped(tmp_path_factory.mktemp("bad") / "files", {"bluegreen.yaml": GOOD}) as made:
        yield made


def wait_for(envoy, before: dict, expected: dict):
    """Waits until just these counters have risen since. Some rise only when all workers have the new version."""
    wanted = {name: value + expected.get(name, 0) for name, value in before.items()}
    wanted["update_attempt"] += 1
    try:
        envoy.until("the counters", lambda: envoy.discovery() == wanted)
    except AssertionError as error:
        raise AssertionError(f"{before} became {envoy.discovery()}, not {wanted}") from error


def statuses(envoy) -> set:
    port = envoy.port("ingress")
    return {get(port, HOST, **{"x-user-id": f"u{user}"}).status for user in range(30)}


@pytest.mark.parametrize("kind", KINDS)
def test_a_bad_file_makes_these_counters_rise(envoy, kind):
    text, expected = KINDS[kind]
    assert text != GOOD
    unknown, lost = envoy.stat("server.dynamic_unknown_fields"), envoy.stat("http.ingress.no_cluster")
    before = envoy.discovery()
    envoy.put("bluegreen.yaml", text)
    wait_for(envoy, before, expected)
    assert (200 in statuses(envoy)) and (503 in statuses(envoy)) == (kind == "a cluster does not exist")
    assert (envoy.stat("server.dynamic_unknown_fields") > unknown) == (kind == "Envoy does not know a field")
    assert (envoy.stat("http.ingress.no_cluster") > lost) == (kind == "a cluster does not exist")
    if expected is TAKEN:
        before = envoy.discovery()
        envoy.put("bluegreen.yaml", GOOD)
        wait_for(envoy, before, TAKEN)


def test_a_file_that_is_written_in_place_or_removed_makes_none_rise(envoy):
    file = envoy.directory / "bluegreen.yaml"
    before = envoy.discovery()
    file.write_text(KINDS["a value is wrong"][0])
    file.unlink()
    time.sleep(0.5)
    assert envoy.discovery() == before
    envoy.put("bluegreen.yaml", GOOD.replace('"version": "1"', '"version": "2"'))
    wait_for(envoy, before, TAKEN)


@pytest.mark.parametrize("kind", ["a value is wrong", "it is another filter", "it is no YAML"])
def test_at_the_start_the_same_counters_rise_and_the_filter_is_absent(tmp_path, kind):
    text, expected = KINDS[kind]
    with Shipped(tmp_path / "run", {"bluegreen.yaml": text}) as envoy:
        counted = envoy.discovery()
        assert counted.pop("update_attempt") == 1
        assert {name: value for name, value in counted.items() if value} == expected
        assert get(envoy.port("ingress"), HOST).headers["x-bluegreen-color"] is None
        assert "bluegreen_config_fingerprint" not in envoy.admin("/stats/prometheus")


def test_envoy_does_not_start_where_the_file_is_missing(tmp_path):
    (tmp_path / "bootstrap.json").write_text(json.dumps(bootstrap((FILES / "bootstrap.yaml").read_text())))
    ran = subprocess.run([ENVOY, "-c", "./bootstrap.json", "--disable-hot-restart"], cwd=tmp_path,
                         capture_output=True, text=True, timeout=60)
    assert ran.returncode and "'./bluegreen.yaml' does not exist" in ran.stderr
