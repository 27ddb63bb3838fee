"""The files of envoy/roles: routes and clusters that name roles, and swaps of them under load."""

import urllib.request

import pytest
import yaml
from load import Load, get
from shipped import FILES, Shipped, bootstrap, plugin_file, through_pipe

ROLES = FILES / "roles"
ELSEWHERE, CANARY, SPLIT = "elsewhere.example.com", "canary.example.com", "app.example.com"


def config(stable: str) -> dict:
    """All on the stable color, for one host."""
    green = 100 if stable == "green" else 0
    return {"rollouts": [{
        "name": "app", "match": {"hosts": [SPLIT]}, "clusters": {"blue": "blue", "green": "green"}, "stable": stable,
        "weights": {"blue": 100 - green, "green": green}}]}


def clusters(stable="blue", change=lambda resources: None) -> str:
    """clusters.yaml with upstreams behind sockets and this role of the colors."""
    made = yaml.safe_load((ROLES / "clusters.yaml").read_text())
    for cluster in made["resources"]:
        if "load_assignment" in cluster:
            through_pipe(cluster)
        elif stable == "green":
            members = cluster["cluster_type"]["typed_config"]["clusters"]
            members[0] = {"blue": "green", "green": "blue"}[members[0]]
    change(made["resources"])
    return yaml.safe_dump(made)


@pytest.fixture
def envoy(tmp_path):
    files = {"bluegreen.yaml": plugin_file(config("blue")), "clusters.yaml": clusters(),
             "routes.yaml": (ROLES / "routes.yaml").read_text()}
    with Shipped(tmp_path / "run", files, bootstrap((ROLES / "bootstrap.yaml").read_text())) as made:
        yield made


def asked(envoy, host: str) -> str:
    """Who answers."""
    request = urllib.request.Request(f"http://127.0.0.1:{envoy.port('ingress')}/", headers={"host": host})
    with urllib.request.urlopen(request, timeout=10) as response:
        return response.read().decode().strip()


def serving(envoy) -> dict:
    return {host: asked(envoy, host) for host in (SPLIT, ELSEWHERE, CANARY)}


def test_a_swap_reaches_every_role_and_loses_no_request(envoy):
    before = {SPLIT: "blue", ELSEWHERE: "blue", CANARY: "green"}
    after = {SPLIT: "green", ELSEWHERE: "green", CANARY: "blue"}
    assert serving(envoy) == before
    port = envoy.port("ingress")
    with Load([port], SPLIT, 2) as split, Load([port], ELSEWHERE, 2) as elsewhere:
        for stable, expected in [("green", after), ("blue", before)] * 10:
            sent = min(split.sent, elsewhere.sent)
            envoy.put("bluegreen.yaml", plugin_file(config(stable)))
            envoy.put("clusters.yaml", clusters(stable))
            envoy.until(f"{stable} is stable", lambda: serving(envoy) == expected)
            envoy.until("requests after it", lambda: min(split.sent, elsewhere.sent) > sent + 20)
    assert not split.failures and not elsewhere.failures


def test_routes_change_by_a_rename_too(envoy):
    text = (ROLES / "routes.yaml").read_text()
    envoy.put("routes.yaml", text.replace("cluster: stable", "cluster: green"))
    envoy.until("the new route", lambda: asked(envoy, ELSEWHERE) == "green")
    assert asked(envoy, SPLIT) == "blue"


@pytest.mark.parametrize("name, counter", [
    ("routes.yaml", "http.ingress.rds.ingress.update_rejected"), ("clusters.yaml", "cluster_manager.cds.update_rejected")])
def test_a_bad_file_changes_nothing(envoy, name, counter):
    bad = {"routes.yaml": (ROLES / "routes.yaml").read_text().replace("cluster: stable", "clusters: stable"),
           "clusters.yaml": clusters(change=lambda resources: resources[0].update(lb_policy="CLUSTER_PROVIDED"))}
    before = serving(envoy)
    envoy.put(name, bad[name])
    envoy.until("a refusal", lambda: envoy.stat(counter) == 1)
    assert serving(envoy) == before


def test_a_color_that_is_left_out_of_the_file_is_gone(envoy):
    envoy.put("clusters.yaml", clusters(change=lambda resources: resources.pop(1)))

    def status(host):
        return get(envoy.port("ingress"), host).status
    envoy.until("no canary", lambda: status(CANARY) == 503)
    assert status(SPLIT) == 200
