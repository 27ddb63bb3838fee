"""What each manifest makes Envoy run, on a real Envoy: changes under load, and who may say the color."""

import http.client
import json
import time
from statistics import median

import pytest
from load import Load, get, get_repeated, seconds_until, served_by
from manifests import plugin_config
from shapes import HOST, EnvoyGateway, Istio, Kubernetes, Rename

CHANGES = 100
SHAPES = [Istio, EnvoyGateway, Kubernetes, Rename]


@pytest.fixture(scope="module", params=SHAPES, ids=lambda shape: shape.__name__)
def shape(request, upstreams, tmp_path_factory):
    running = request.param(tmp_path_factory.mktemp(request.param.__name__) / "run", upstreams)
    try:
        yield running
    finally:
        running.end()


@pytest.fixture
def port(shape):
    return shape.envoy.port("ingress")


def put(shape, port, green: int):
    """Puts a weight in force and waits for it."""
    since = time.monotonic()
    assert not shape.refused(shape.push(green)), shape.envoy.tail()
    seconds_until(port, HOST, "green" if green else "blue", since)


def test_a_change_is_in_force_within_a_second_and_no_request_fails(shape, port, record_property):
    put(shape, port, 0)
    times = []
    with Load([port], HOST) as load:
        for change in range(CHANGES):
            green = 0 if change % 2 else 100
            since = time.monotonic()
            version = shape.push(green)
            times.append(seconds_until(port, HOST, "green" if green else "blue", since))
            assert not shape.refused(version), shape.envoy.tail()
    assert not load.failures
    assert load.sent > 10 * CHANGES and load.served_by["blue"] and load.served_by["green"]
    assert max(times) < 1
    record_property("seen", f"{type(shape).__name__}: {CHANGES} changes in force after {median(times) * 1000:.0f} ms, "
                            f"at most {max(times) * 1000:.0f} ms; {load.sent} requests, no failure")


def test_a_bad_change_is_refused_and_the_last_good_one_stays(shape, port):
    put(shape, port, 100)
    good = json.loads(plugin_config(shape.folder, 0))
    for number in range(5):
        bad = {**good, "version": f"bad {number}", "rollout": []}
        assert shape.refused(shape.push_text(json.dumps(bad)))
        assert [served_by(port, HOST) for _ in range(4)] == ["green"] * 4
    put(shape, port, 0)


def test_a_user_keeps_the_color_and_the_client_is_told_it(shape, port):
    assert not shape.refused(shape.push(50)), shape.envoy.tail()
    time.sleep(0.5)
    colors = []
    for user in range(60):
        seen = [get(port, HOST, **{"x-user-id": f"user-{user}"}) for _ in range(2)]
        [color] = {response.headers["x-served-by"] for response in seen}
        assert {response.headers["x-bluegreen-color"] for response in seen} == {color}
        colors.append(color)
    assert 10 < colors.count("green") < 50
    put(shape, port, 0)


def test_a_client_never_says_the_color_and_the_service_does_not_see_it(shape, port):
    config = json.loads(plugin_config(shape.folder, 0))
    config["rollouts"][0]["match"] = {"hosts": [HOST], "path_prefix": "/v1/"}
    assert not shape.refused(shape.push_text(json.dumps(config))), shape.envoy.tail()
    time.sleep(0.5)
    for path in ("/v1/", "/v2/"):
        for values in (["green"], ["blue", "green"], ["green", "green"], ["GREEN"], [""]):
            for _ in range(3):
                response = get_repeated(port, HOST, path, "X-Bluegreen-Color", values)
                assert (response.status, response.headers["x-served-by"]) == (200, "blue"), (path, values)
                assert response.headers["x-received-color"] is None
    put(shape, port, 100)
    assert get(port, HOST, **{"x-bluegreen-color": "blue"}).headers["x-served-by"] == "green"
    put(shape, port, 0)


def test_the_stats_have_their_labels(shape, port):
    put(shape, port, 100)
    get(port, HOST, **{"x-user-id": "somebody"})

    def counted():
        return [line for line in shape.envoy.admin("/stats/prometheus").splitlines()
                if line.startswith("bluegreen_requests_total{") and 'reason="sticky"' in line
                and 'rollout="recommender"' in line and 'color="green"' in line]
    assert shape.envoy.until("the stats", counted)
    put(shape, port, 0)


@pytest.mark.parametrize("make", [Istio, EnvoyGateway], ids=lambda make: make.__name__)
def test_code_that_does_not_load_is_refused_and_an_absent_filter_is_blue(make, upstreams, tmp_path):
    broken = tmp_path / "broken.wasm"
    broken.write_bytes(b"no code")
    shape = make(tmp_path / "run", upstreams)
    forged = {"x-bluegreen-color": "green"}
    try:
        port = shape.envoy.port("ingress")
        put(shape, port, 100)
        assert shape.refused(shape.push_text(plugin_config(shape.folder, 100), code=broken))
        assert [served_by(port, HOST) for _ in range(4)] == ["green"] * 4
        since = time.monotonic()
        assert not shape.refused(shape.absent()), shape.envoy.tail()
        seconds_until(port, HOST, "blue", since)
        assert [served_by(port, HOST, **forged) for _ in range(8)] == ["blue"] * 8
        put(shape, port, 100)
    finally:
        shape.end()


def test_what_an_envoy_does_that_starts_with_a_bad_configuration(upstreams, tmp_path):
    def started(make):
        return make(tmp_path / make.__name__, upstreams, first='{"rollouts": []}')

    shape = started(Istio)
    try:
        assert get(shape.envoy.port("ingress"), HOST).status == 500
    finally:
        shape.end()
    shape = started(EnvoyGateway)
    try:
        assert shape.refused("1") and not json.loads(shape.envoy.admin("/listeners?format=json"))
    finally:
        shape.end()
    shape = started(Kubernetes)
    try:
        assert served_by(shape.envoy.port("ingress"), HOST, **{"x-bluegreen-color": "green"}) == "blue"
    finally:
        shape.end()


def test_envoy_gateway_moves_connections_that_are_open(upstreams, tmp_path):
    shape = EnvoyGateway(tmp_path / "run", upstreams)
    connection = None
    try:
        port = shape.envoy.port("ingress")
        put(shape, port, 0)
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        seen = []
        for green in (0, 100):
            put(shape, port, green)
            for _ in range(2):
                connection.request("GET", "/v1/", headers={"host": HOST})
                response = connection.getresponse()
                response.read()
                seen.append((response.headers["x-served-by"], response.headers["connection"]))
        assert seen[-1][0] == "green" and ("blue", "close") in seen
    finally:
        if connection:
            connection.close()
        shape.end()


def test_kubernetes_shows_two_pages_of_the_admin_interface_and_no_other(upstreams, tmp_path):
    shape = Kubernetes(tmp_path / "run", upstreams)
    try:
        health = shape.envoy.port("health")
        assert get(health, HOST, "/ready").status == 200
        assert get(health, HOST, "/stats/prometheus").status == 200
        for path in ("/", "/quitquitquit", "/config_dump", "/stats", "/ready/../config_dump"):
            assert get(health, HOST, path).status == 404, path
    finally:
        shape.end()
