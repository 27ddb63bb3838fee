"""The snippets of docs/recipes.md: Envoy takes each of them, and a claim of a JWT decides."""

import base64
import copy
import hashlib
import hmac
import json
import re
import subprocess
import time
import urllib.request

import pytest
import yaml
from load import get
from proxy import ENVOY, ROOT, WASM
from shipped import FILES, Shipped, bootstrap, plugin_file

PAGE = (ROOT / "docs" / "recipes.md").read_text()
SECTIONS = {title: text for title, text in re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", PAGE, re.S | re.M)}
BASE = {"rollouts": [{"name": "demo", "clusters": {"blue": "blue", "green": "green"}, "weights": {"blue": 50, "green": 50}}]}
KEY = b"a secret that only this test knows"
WORD = "the token for feedback"


def blocks(text: str, language: str) -> list:
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.S | re.M)


def manager(made: dict) -> dict:
    return made["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"]


def put_in(made: dict, snippet: str):
    """Puts a snippet where its first line says."""
    where, value = snippet.partition("\n")[0], yaml.safe_load(snippet)
    if where == "# http_filters, before bluegreen":
        manager(made)["http_filters"][:0] = value
    elif where == "# clusters":
        made["static_resources"]["clusters"] += value
    elif where == "# the route by cluster_header":
        manager(made)["route_config"]["virtual_hosts"][0]["routes"][1]["route"].update(value)
    else:
        assert where == "# the HTTP connection manager", where
        manager(made).update(value)


def config(text: str) -> dict:
    """The filter's configuration with what the JSON of a section adds."""
    made = copy.deepcopy(BASE)
    for block in blocks(text, "json"):
        hashed = block.replace("…", hashlib.sha256(WORD.encode()).hexdigest())
        for name, value in json.loads(f"{{{hashed}}}").items():
            (made if name == "feedback" else made["rollouts"][0])[name] = value
    return made


def inlined(made: dict, text: str) -> dict:
    """With the filter itself in place of its discovery, so that Envoy checks its configuration too."""
    [resource] = yaml.safe_load(plugin_file(config(text)))["resources"]
    typed = resource["typed_config"]
    typed["config"]["vm_config"]["code"]["local"]["filename"] = str(WASM)
    for filters in all_http_filters(made):
        for one in filters:
            if one.pop("config_discovery", None):
                one["typed_config"] = typed
    return made


def all_http_filters(made: dict):
    """The HTTP filters of clients' listener, of the one for copies, and of the upstreams."""
    for listener in made["static_resources"]["listeners"]:
        yield listener["filter_chains"][0]["filters"][0]["typed_config"]["http_filters"]


def validate(directory, text: str):
    made = bootstrap((FILES / "bootstrap.yaml").read_text())
    for snippet in blocks(text, "yaml"):
        put_in(made, snippet)
    (directory / "made.json").write_text(json.dumps(inlined(made, text)))
    return subprocess.run([ENVOY, "--mode", "validate", "-c", "./made.json"], cwd=directory,
                          capture_output=True, text=True, timeout=120)


@pytest.mark.parametrize("title", SECTIONS)
def test_envoy_takes_the_snippets(tmp_path, title):
    assert blocks(SECTIONS[title], "yaml") and blocks(SECTIONS[title], "json")
    ran = validate(tmp_path, SECTIONS[title])
    assert ran.returncode == 0, ran.stderr


@pytest.mark.parametrize("title, right, wrong", [
    ("Split by a claim of a JWT", "payload_in_metadata", "payload_in_metadatum"), ("Retries", "count_retries", "count_retry"),
    ("Streams", "idle_timeout: 30s", "idle_timeout: 30"), ("Streams", "stream_idle_timeout", "streams_idle_timeout")])
def test_envoy_refuses_a_snippet_with_a_mistake(tmp_path, title, right, wrong):
    assert right in SECTIONS[title]
    assert validate(tmp_path, SECTIONS[title].replace(right, wrong)).returncode != 0


def token(user: str, key=KEY) -> str:
    def encoded(data: bytes) -> str:
        return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
    claims = {"iss": "https://identity.example.com", "aud": "api.example.com", "sub": user, "exp": int(time.time()) + 600}
    text = ".".join(encoded(json.dumps(part).encode()) for part in ({"alg": "HS256", "typ": "JWT", "kid": "1"}, claims))
    return f"{text}.{encoded(hmac.digest(key, text.encode(), hashlib.sha256))}"


def feedback(port: int, word: str) -> int:
    """The status of feedback with this token and no JWT."""
    url = f"http://127.0.0.1:{port}/bluegreen/feedback?rollout=demo&color=green&tp=1"
    request = urllib.request.Request(url, b"", {"x-bluegreen-token": word})
    try:
        with urllib.request.urlopen(request, timeout=10) as response:
            return response.status
    except urllib.error.HTTPError as error:
        return error.code


def test_the_claim_decides_and_feedback_needs_its_own_token(tmp_path):
    """The snippets as they are, but for the keys, which are the test's own."""
    text = SECTIONS["Split by a claim of a JWT"]
    made = bootstrap((FILES / "bootstrap.yaml").read_text())
    put_in(made, blocks(text, "yaml")[0])
    provider = manager(made)["http_filters"][0]["typed_config"]["providers"]["identity"]
    key = base64.urlsafe_b64encode(KEY).rstrip(b"=").decode()
    del provider["remote_jwks"]
    provider["local_jwks"] = {"inline_string": json.dumps({"keys": [{"kty": "oct", "alg": "HS256", "kid": "1", "k": key}]})}
    settings = {**config(text), "color_header": "x-bluegreen-color"}
    settings["rollouts"][0].update(releases={"blue": "1", "green": "2"}, quality={"min_samples": 100, "min_f1": 50})
    with Shipped(tmp_path / "run", {"bluegreen.yaml": plugin_file(settings)}, made) as envoy:
        port = envoy.port("ingress")

        def color(user, **headers):
            response = get(port, "api.example.com", authorization=f"Bearer {token(user)}", **headers)
            return response.headers["x-bluegreen-color"]
        colors = {user: color(user) for user in (f"user{n}" for n in range(30))}
        assert set(colors.values()) == {"blue", "green"}
        assert {user: color(user, **{"x-user-id": "another"}) for user in colors} == colors
        assert 'bluegreen_requests_total{rollout="demo",color="blue",reason="random"} 0' in envoy.admin("/stats/prometheus")
        assert get(port, "api.example.com").status == 401
        forged = token("user1", b"another secret")
        assert get(port, "api.example.com", authorization=f"Bearer {forged}").status == 401
        assert [feedback(port, word) for word in (WORD, "a guess")] == [204, 403]
        assert get(port, "api.example.com", "/bluegreen/feedback/other").status == 401
