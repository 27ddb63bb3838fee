"""Envoy's files for a variant, made from the shipped ones so that both stay the same."""

import json
import re
import shutil
import socket
from pathlib import Path

from variants import TYPE, Variant, plugin_text

BENCHES = Path(__file__).resolve().parent
SHIPPED = BENCHES.parent / "envoy"
ROUTES = "              routes:\n"
FILTERS = "          http_filters:\n"
ROUTER = "          - name: envoy.filters.http.router\n"
COPIES = "  - name: shadow\n    address:"
CLUSTERS = "\n  clusters:\n"
ETCD_PORT = 2379
PLUGIN = "        value: |\n"
CAPABILITIES = "        allowed_capabilities:\n"
SIGNAL = "          # The access log of signal.yaml goes here"
ON_TICK = "proxy_on_tick"  # withheld where requests alone are to be counted


class ShippedFileChanged(Exception):
    """A shipped file no longer has the line this bench holds on to."""

    def __init__(self, path: Path, anchor: str):
        super().__init__(f"{path}: no line {anchor.strip()!r}; adapt the anchors in {__file__}")


def write_proxy(
    directory: Path, variant: Variant, ports: tuple[int, int], wasm: dict[str, Path], ticks: bool,
) -> None:
    """A directory to start the measured Envoy in; the upstreams listen on `ports`."""
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    path = SHIPPED / "bootstrap.yaml"
    text = path.read_text()
    for shipped, ours in [(9901, 0), (10000, 0), (10001, ports[0]), (10002, ports[1]), (10003, free_port())]:
        text = replace_port(path, text, shipped, ours)
    if variant.routes is not None:
        text = replace_between(path, text, ROUTES, FILTERS, variant.routes)
    if variant.plugin is None:
        text = replace_between(path, text, FILTERS, ROUTER, list(variant.filters))
        # Its filter would be bluegreen, which is not there.
        text = without_copies(path, text)
    else:
        withheld = variant.withheld if ticks else (*variant.withheld, ON_TICK)
        write_plugin(directory, variant.plugin, withheld, variant.allowed)
        if variant.plugin.get("profile", "full") != "full":
            text = insert_signal(path, text)
        if variant.etcd_port is not None:
            text += etcd_cluster(variant.etcd_port)
    (directory / "bootstrap.yaml").write_text(text)
    shutil.copy(BENCHES / "split.lua", directory)
    for name, source in wasm.items():
        shutil.copy(source, directory / name)


def write_plugin(
    directory: Path, plugin: dict, withheld: tuple[str, ...] = (), allowed: tuple[str, ...] = (),
) -> None:
    """Puts the plugin's configuration in force by a rename, as an operator does.

    `withheld` are capabilities that the shipped file allows, `allowed` are some that it does not.
    """
    path = SHIPPED / "bluegreen.yaml"
    head, anchor, _ = path.read_text().partition(PLUGIN)
    for needed, found in [(PLUGIN, anchor), (CAPABILITIES, CAPABILITIES in head)]:
        if not found:
            raise ShippedFileChanged(path, needed)
    for capability in withheld:
        # A comment may follow.
        head, found = re.subn(rf"^ +{capability}: {{}} *(#.*)?\n", "", head, flags=re.MULTILINE)
        if not found:
            raise ShippedFileChanged(path, capability)
    for capability in allowed:
        head = head.replace(CAPABILITIES, f"{CAPABILITIES}          {capability}: {{}}\n")
    new = directory / "bluegreen.yaml.new"
    new.write_text(f"{head}{anchor}          {plugin_text(plugin)}\n")
    new.rename(directory / "bluegreen.yaml")


def write_upstreams(directory: Path, delay_ms: int = 0) -> None:
    """A directory to start the upstreams' Envoy in: a color each, answering directly, or after a delay."""
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    path = SHIPPED / "upstreams.yaml"
    text = path.read_text()
    for port in (10001, 10002):
        text = replace_port(path, text, port, 0)
    if delay_ms:
        text = text.replace(ROUTER, delayed(delay_ms) + ROUTER)
    admin = "admin: { address: { socket_address: { address: 127.0.0.1, port_value: 0 } } }\n"
    (directory / "bootstrap.yaml").write_text(admin + text)


def delayed(delay_ms: int) -> str:
    """A filter that holds each request up."""
    fault = {
        "@type": f"{TYPE}.fault.v3.HTTPFault",
        "delay": {"fixed_delay": f"{delay_ms / 1000}s", "percentage": {"numerator": 100}},
    }
    return f"          - {json.dumps({'name': 'envoy.filters.http.fault', 'typed_config': fault})}\n"


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def insert_signal(path: Path, text: str) -> str:
    """Puts the access log of signal.yaml where the bootstrap says, as an operator does for these profiles."""
    head, anchor, rest = text.partition(SIGNAL)
    if not anchor:
        raise ShippedFileChanged(path, SIGNAL)
    line, _, tail = rest.partition("\n")
    return f"{head}{anchor}{line}\n{(SHIPPED / 'signal.yaml').read_text()}{tail}"


def etcd_cluster(port: int) -> str:
    """The shipped cluster `etcd`, for the end of the bootstrap."""
    path = SHIPPED / "etcd.yaml"
    _, anchor, cluster = path.read_text().partition(CLUSTERS)
    if not anchor:
        raise ShippedFileChanged(path, CLUSTERS)
    return replace_port(path, cluster, ETCD_PORT, port)


def without_copies(path: Path, text: str) -> str:
    """Without the listener for copies."""
    head, start, rest = text.partition(COPIES)
    _, end, tail = rest.partition(CLUSTERS)
    for anchor, found in [(COPIES, start), (CLUSTERS, end)]:
        if not found:
            raise ShippedFileChanged(path, anchor)
    return head + end + tail


def replace_port(path: Path, text: str, shipped: int, ours: int) -> str:
    anchor = f"port_value: {shipped} }}"
    if anchor not in text:
        raise ShippedFileChanged(path, anchor)
    return text.replace(anchor, f"port_value: {ours} }}")


def replace_between(path: Path, text: str, start: str, end: str, items: list) -> str:
    """Puts `items`, as one-line JSON (which is YAML), in place of the list between two lines."""
    head, start_found, rest = text.partition(start)
    _, end_found, tail = rest.partition(end)
    for anchor, found in [(start, start_found), (end, end_found)]:
        if not found:
            raise ShippedFileChanged(path, anchor)
    indent = " " * (len(start) - len(start.lstrip()))
    lines = "".join(f"{indent}- {json.dumps(item)}\n" for item in items)
    return head + start + lines + end + tail
