"""Lets the shipped envoy/bootstrap.yaml listen, and find blue and green, where the demo has them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml


@dataclass(frozen=True)
class Addresses:
    """`host:port` of each part."""

    proxy: str
    admin: str
    blue: str
    green: str
    shadow: str = "127.0.0.1:10003"
    """Where Envoy takes the copies that it makes of requests."""


def write_bootstrap(shipped: Path, target: Path, addresses: Addresses) -> None:
    """Everything else stays as shipped. What is not where it is expected is an error."""
    document = yaml.safe_load(shipped.read_text())
    document["admin"]["address"] = _address(addresses.admin)
    listeners = {"ingress": addresses.proxy, "shadow": addresses.shadow}
    for listener in document["static_resources"]["listeners"]:
        listener["address"] = _address(listeners[listener["name"]])
    for cluster in document["static_resources"]["clusters"]:
        # Names, too, are resolved then, as containers have them.
        cluster["type"] = "STRICT_DNS"
        cluster["dns_lookup_family"] = "V4_PREFERRED"
        [locality] = cluster["load_assignment"]["endpoints"]
        [endpoint] = locality["lb_endpoints"]
        endpoint["endpoint"]["address"] = _address(getattr(addresses, cluster["name"]))
    target.write_text(yaml.safe_dump(document, sort_keys=False))


def _address(host_port: str) -> dict[str, Any]:
    host, port = host_port.rsplit(":", 1)
    return {"socket_address": {"address": host, "port_value": int(port)}}
