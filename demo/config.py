"""The operator's side of the filter: what the configuration says, and how it comes into force."""

from __future__ import annotations

import hashlib
import json
import os
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import xxhash
import yaml

ROLLOUT = "diagnosis"
USER_HEADER = "x-user-id"
COLOR_HEADER = "x-bluegreen-color"
OVERRIDE_HEADER = "x-bluegreen"
TOKEN_HEADER = "x-bluegreen-token"
FEEDBACK_PATH = "/bluegreen/feedback"

CAPABILITIES = ("proxy_on_request_body", "proxy_on_request_trailers", "proxy_on_response_body")
"""What feedback and streams need; the shipped file need not allow all of them."""

QUALITY = {"min_samples": 200, "confidence": 95, "max_f1_drop": 1, "min_f1": 80, "hold_at": 10}


def plugin_config(
    version: str,
    token: str,
    *,
    stable: str,
    green: int,
    releases: dict[str, str],
    ramp: list[dict[str, Any]] | None = None,
) -> dict[str, Any]:
    """The plugin configuration; a ramp starts now."""
    permission = {"token": {"header": TOKEN_HEADER, "sha256": hashlib.sha256(token.encode()).hexdigest()}}
    rollout: dict[str, Any] = {
        "name": ROLLOUT,
        "clusters": {"blue": "blue", "green": "green"},
        "weights": {"blue": 100 - green, "green": green},
        "stable": stable,
        "sticky": [{"header": USER_HEADER}],
        "override": {"header": OVERRIDE_HEADER, "require": permission},
        "releases": releases,
        "quality": QUALITY,
    }
    if ramp:
        start = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        rollout["ramp"] = {"start": start, "steps": ramp}
    return {
        "version": version,
        "color_header": COLOR_HEADER,
        "feedback": {"path": FEEDBACK_PATH, "require": permission},
        "rollouts": [rollout],
    }


class ConfigFile:
    """The one file that an operator edits. Envoy takes a new version when it is renamed into place."""

    def __init__(self, path: Path):
        self._path = path

    def push(self, config: dict[str, Any]) -> int:
        """Puts `config` in place; returns the fingerprint the filter will show once it is in force."""
        text = json.dumps(config, indent=2) + "\n"
        document = yaml.safe_load(self._path.read_text())
        plugin = document["resources"][0]["typed_config"]["config"]
        plugin["configuration"]["value"] = Literal(text)
        allowed = plugin["capability_restriction_config"]["allowed_capabilities"]
        allowed.update({name: {} for name in CAPABILITIES})
        new = self._path.with_name(self._path.name + ".new")
        new.write_text(yaml.dump(document, Dumper=Dumper, sort_keys=False))
        os.replace(new, self._path)
        return xxhash.xxh64_intdigest(text.encode()) & 0xFFFFFFFF


class Literal(str):
    """Text that YAML shows as a block, line by line."""


class Dumper(yaml.SafeDumper):
    """Writes `Literal` as a block."""


Dumper.add_representer(
    Literal, lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|")
)
