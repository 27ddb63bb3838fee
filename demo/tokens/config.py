"""The operator's side of the filter in this story."""

from __future__ import annotations

import hashlib
from datetime import datetime, timezone
from typing import Any

from demo.config import COLOR_HEADER, FEEDBACK_PATH, TOKEN_HEADER, USER_HEADER

ROLLOUT = "assistant"
MIN_SAMPLES = 100
FIRST_WEIGHT = 10
SHADOW_PERCENT = 25

QUALITY = {
    "min_samples": MIN_SAMPLES,
    "confidence": 95,
    "scores": {"rating": {"better": "higher", "min": 2, "max_drop": 0.2}},
}
SHADOW = {"percent": SHADOW_PERCENT, "methods": ["POST"]}
ERRORS = {"sequential": {}}
ERRORS_AND_TIME = {"sequential": {}, "slow_after": "auto"}


def plugin_config(
    version: str,
    token: str,
    releases: dict[str, str],
    *,
    guard: dict[str, Any] = ERRORS,
    shadow: dict[str, Any] | None = None,
    ramp: list[dict[str, Any]] | None = None,
) -> dict[str, Any]:
    rollout: dict[str, Any] = {
        "name": ROLLOUT,
        "clusters": {"blue": "blue", "green": "green"},
        "weights": {"blue": 100, "green": 0},
        "sticky": [{"header": USER_HEADER}],
        "releases": releases,
        "quality": QUALITY,
        "guard": guard,
        "stream": {"first_chunk": True, "sse_errors": True},
    }
    if shadow:
        rollout["shadow"] = shadow
    if ramp:
        start = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        rollout["ramp"] = {"start": start, "steps": ramp}
    permission = {"token": {"header": TOKEN_HEADER, "sha256": hashlib.sha256(token.encode()).hexdigest()}}
    return {
        "version": version,
        "color_header": COLOR_HEADER,
        "feedback": {"path": FEEDBACK_PATH, "require": permission},
        "rollouts": [rollout],
    }
