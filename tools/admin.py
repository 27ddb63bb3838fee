"""The admin interface of the Envoy that `make run` starts."""

import json
import re
import sys
import urllib.error
import urllib.request

LISTENER = "127.0.0.1:10000"
ADDRESS = "127.0.0.1:9901"

_SAMPLE = re.compile(r"^(bluegreen_\w+)\{(.*)\} (\S+)$")
_LABEL = re.compile(r'(\w+)="([^"]*)"')


def get(path):
    with urllib.request.urlopen(f"http://{ADDRESS}{path}", timeout=5) as response:
        return response.read().decode()


def is_ready():
    try:
        return get("/ready").startswith("LIVE")
    except (urllib.error.URLError, OSError):
        return False


def require():
    """Ends the program with a message where no Envoy answers."""
    if not is_ready():
        sys.exit(f"no Envoy answers on {ADDRESS}: start one with `make run`")


def counters(pattern):
    """Plain stats by name."""
    stats = json.loads(get(f"/stats?format=json&filter={pattern}"))["stats"]
    return {stat["name"]: stat["value"] for stat in stats if "name" in stat}


def samples():
    """The filter's metrics as Prometheus sees them: (name, labels, value)."""
    for line in get("/stats/prometheus?filter=wasmcustom.bluegreen").splitlines():
        match = _SAMPLE.match(line)
        if match:
            yield match[1], dict(_LABEL.findall(match[2])), float(match[3])
