"""The manifests of deploy/, and the plugin configurations in them."""

import json
from pathlib import Path

import yaml
from proxy import ROOT

DEPLOY = ROOT / "deploy"
CRDS = ROOT.parent / "shared" / "crds"
SCHEMAS_MISSING = (f"{CRDS} is not there: custom resources are NOT checked against their CRDs, "
                   "only for their outer shape; all else is checked")


def documents() -> list:
    """Each document of each manifest, with where it stands."""
    found = []
    for path in sorted(DEPLOY.glob("*/*.yaml")):
        for document in yaml.safe_load_all(path.read_text()):
            if "kind" not in document:
                continue  # not a manifest: the relabel rules of Prometheus
            found.append((f"{path.relative_to(DEPLOY)}:{document['kind']}/{document['metadata']['name']}", document))
    return found


def one(folder: str, kind: str, name=None) -> dict:
    """The only document of a kind in a folder."""
    [document] = [document for place, document in documents()
                  if place.startswith(folder + "/") and document["kind"] == kind
                  and name in (None, document["metadata"]["name"])]
    return document


def ecds(document: dict) -> dict:
    """The filter in the ConfigMap of a rollout."""
    [resource] = yaml.safe_load(document["data"]["bluegreen.yaml"])["resources"]
    return resource


def plugin_configs() -> list:
    """Each configuration of the filter, with where it stands."""
    found = []
    for place, document in documents():
        spec = document.get("spec", {})
        if document["kind"] == "WasmPlugin":
            found.append((place, spec["pluginConfig"]))
        if document["kind"] == "EnvoyExtensionPolicy":
            found.extend((place, wasm["config"]) for wasm in spec["wasm"])
        if document["kind"] == "ConfigMap" and "bluegreen.yaml" in document["data"]:
            text = ecds(document)["typed_config"]["config"]["configuration"]["value"]
            found.append((place, json.loads(text)))
    return found


def plugin_config(folder: str, green: int) -> str:
    """The configuration of a folder's manifest, as JSON, with this weight for green."""
    [config] = [config for place, config in plugin_configs() if place.startswith(folder + "/")]
    config["version"] = f"green {green}"
    for rollout in config["rollouts"]:
        rollout["weights"] = {"blue": 100 - green, "green": green}
    return json.dumps(config)


def schemas() -> dict:
    """The schema of each custom resource, by apiVersion and kind; empty where the CRDs are not there."""
    found = {}
    for path in sorted(Path(CRDS).glob("*.yaml")):
        for crd in yaml.safe_load_all(path.read_text()):
            spec = crd["spec"]
            for version in spec["versions"]:
                if version["served"]:
                    key = f"{spec['group']}/{version['name']}", spec["names"]["kind"]
                    found[key] = strict(version["schema"]["openAPIV3Schema"], top=True)
    return found


def strict(schema: dict, top=False) -> dict:
    """The same as JSON Schema, with unknown fields forbidden as a strict API server does."""
    schema = dict(schema)
    if schema.pop("nullable", False) and "type" in schema:
        schema["type"] = [schema["type"], "null"]
    if schema.pop("x-kubernetes-int-or-string", False):
        schema.pop("type", None)
    if "properties" in schema:
        schema["properties"] = {name: strict(value) for name, value in schema["properties"].items()}
        if top:
            standard = {"apiVersion": {"type": "string"}, "kind": {"type": "string"}, "metadata": {"type": "object"}}
            schema["properties"] = {**schema["properties"], **standard}
        if not schema.get("x-kubernetes-preserve-unknown-fields") and "additionalProperties" not in schema:
            schema["additionalProperties"] = False
    if isinstance(schema.get("items"), dict):
        schema["items"] = strict(schema["items"])
    if isinstance(schema.get("additionalProperties"), dict):
        schema["additionalProperties"] = strict(schema["additionalProperties"])
    return schema
