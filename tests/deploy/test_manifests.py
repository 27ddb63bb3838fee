"""Each manifest against its schema, and each configuration of the filter with the filter itself."""

import copy
import json
import re
import subprocess

import jsonschema
import kubernetes_validate
import pytest
import yaml
from manifests import CRDS, DEPLOY, documents, ecds, one, plugin_configs, schemas
from proxy import ENVOY, ROOT, listener, wasm_filter, ROUTER

DOCUMENTS = documents()
SCHEMAS = schemas()
CUSTOM = [(place, document) for place, document in DOCUMENTS if "." in document["apiVersion"].split("/")[0]
          and not document["apiVersion"].split("/")[0].endswith("k8s.io")
          or document["apiVersion"].startswith("gateway.networking.k8s.io/")]
NATIVE = [item for item in DOCUMENTS if item not in CUSTOM]
CONFIGS = plugin_configs()


def named(items):
    return pytest.mark.parametrize(("place", "value"), items, ids=[place for place, _ in items])


def schema_of(document: dict):
    key = document["apiVersion"], document["kind"]
    if not SCHEMAS:
        return None
    assert key in SCHEMAS, f"no CRD of {key[1]} {key[0]} in {CRDS}"
    return SCHEMAS[key]


@named(CUSTOM)
def test_a_custom_resource_fits_its_crd(place, value):
    assert set(value) == {"apiVersion", "kind", "metadata", "spec"}
    assert re.fullmatch(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?", value["metadata"]["name"])
    schema = schema_of(value)
    if schema:
        jsonschema.Draft202012Validator(schema).validate(value)


def test_an_unknown_field_a_wrong_type_and_a_wrong_value_do_not_fit():
    for place, document in CUSTOM:
        schema = schema_of(document)
        if not schema:
            continue
        for spoil in (lambda d: d["spec"].update(weigth=1), lambda d: d.update(spec=[])):
            bad = copy.deepcopy(document)
            spoil(bad)
            assert list(jsonschema.Draft202012Validator(schema).iter_errors(bad)), place
    if SCHEMAS:
        bad = copy.deepcopy(one("istio", "WasmPlugin"))
        bad["spec"]["failStrategy"] = "FAIL_SOMETIMES"
        assert list(jsonschema.Draft202012Validator(schema_of(bad)).iter_errors(bad))


@named(NATIVE)
def test_a_kubernetes_resource_fits_its_schema(place, value):
    kubernetes_validate.validate(value, "1.37", strict=True)


def test_an_unknown_field_of_a_deployment_does_not_fit():
    bad = copy.deepcopy(one("kubernetes", "Deployment"))
    bad["spec"]["template"]["spec"]["containers"][0]["readOnlyRootFilesystem"] = True
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(bad, "1.37", strict=True)


def validate(config: dict, directory) -> tuple:
    """What the filter says of its configuration: Envoy's exit code and its log."""
    filters = [{"name": "bluegreen", "typed_config": wasm_filter("bluegreen", "bluegreen", json.dumps(config))}, ROUTER]
    bootstrap = {"static_resources": {"listeners": [
        listener("ingress", 0, {"http_filters": filters, "route_config": {"name": "none"}})]}}
    (directory / "static.json").write_text(json.dumps(bootstrap))
    ran = subprocess.run([ENVOY, "--mode", "validate", "-c", "./static.json"], cwd=directory,
                         capture_output=True, text=True, timeout=60)
    return ran.returncode, ran.stdout + ran.stderr


@named(CONFIGS)
def test_the_filter_takes_each_plugin_config(place, value, tmp_path):
    code, log = validate(value, tmp_path)
    assert code == 0, log


@named(CONFIGS)
def test_the_filter_refuses_each_plugin_config_once_it_is_spoiled(place, value, tmp_path):
    bad = copy.deepcopy(value)
    bad["rollouts"][0]["weights"] = {"blue": 90, "green": 5}
    code, log = validate(bad, tmp_path)
    assert code == 1 and "rollouts[0].weights: blue 90 + green 5 = 95, must be 100" in log, log


@named(CONFIGS)
def test_each_plugin_config_leaves_the_cluster_to_the_routes(place, value):
    assert value["color_header"] == "x-bluegreen-color"
    assert all("clusters" not in rollout for rollout in value["rollouts"])


@named(CONFIGS)
def test_each_plugin_config_fits_the_json_schema(place, value):
    schema = json.loads((ROOT / "envoy" / "bluegreen.schema.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(value)


def test_the_tags_of_the_stats_are_those_of_the_shipped_bootstrap():
    shipped = yaml.safe_load((ROOT / "envoy" / "bootstrap.yaml").read_text())["stats_config"]
    [patch] = one("istio", "EnvoyFilter", "bluegreen-stats")["spec"]["configPatches"]
    gateway = yaml.safe_load(one("envoy-gateway", "EnvoyProxy")["spec"]["bootstrap"]["value"])
    plain = yaml.safe_load(one("kubernetes", "ConfigMap", "bluegreen-envoy")["data"]["envoy.yaml"])
    for place in (patch["patch"]["value"], gateway, plain):
        assert place["stats_config"] == shipped


def test_the_capabilities_are_those_of_the_shipped_filter():
    shipped = yaml.safe_load((ROOT / "envoy" / "bluegreen.yaml").read_text())["resources"][0]
    ours = ecds(one("kubernetes", "ConfigMap", "bluegreen-rollout"))
    allowed = [resource["typed_config"]["config"]["capability_restriction_config"] for resource in (shipped, ours)]
    assert allowed[0] == allowed[1]


def test_the_filter_is_on_both_rules_and_both_rules_differ_by_the_header_alone():
    route = one("envoy-gateway", "HTTPRoute")
    [target] = one("envoy-gateway", "EnvoyExtensionPolicy")["spec"]["targetRefs"]
    assert (target["kind"], target["name"]) == (route["kind"], route["metadata"]["name"]) and "sectionName" not in target
    green, blue = route["spec"]["rules"]
    [match] = green["matches"]
    assert match.pop("headers") == [{"name": "x-bluegreen-color", "value": "green"}]
    green, blue = ({k: v for k, v in rule.items() if k != "backendRefs"} for rule in (green, blue))
    assert green == blue

    green, blue = one("istio", "VirtualService")["spec"]["http"]
    assert green.pop("match") == [{"headers": {"x-bluegreen-color": {"exact": "green"}}}]
    green, blue = ({k: v for k, v in rule.items() if k not in ("name", "route")} for rule in (green, blue))
    assert green == blue


def test_each_folder_says_how_to_apply_shift_observe_and_roll_back():
    for folder in sorted({place.split("/")[0] for place, _ in DOCUMENTS}):
        text = (DEPLOY / folder / "README.md").read_text()
        for heading in ("## Apply", "## Shift", "## Observe", "## Roll back"):
            assert heading in text.splitlines(), f"{folder}: {heading}"
