"""Starts the measured Envoys, each in a directory of its own."""

from dataclasses import dataclass
from pathlib import Path

import config
from client import Connection, requests, send_many, send_refused
from envoy import Envoy
from variants import Variant

WARM_UP = 3000  # requests; enough for V8 to have compiled the filter for good


@dataclass(frozen=True)
class Proxies:
    """All that an Envoy needs but the variant it runs."""

    binary: str
    out: Path
    wasm: dict[str, Path]
    upstream_ports: tuple[int, int]

    def start(
        self, name: str, variant: Variant, *,
        concurrency: int = 1, under: tuple[str, ...] = (),
        ports: tuple[int, int] | None = None, ticks: bool = True,
    ) -> Envoy:
        directory = self.out / "run" / name
        config.write_proxy(directory, variant, ports or self.upstream_ports, self.wasm, ticks)
        return Envoy(self.binary, directory, concurrency=concurrency, under=under)


def warm_up(variant: Variant, proxy: Envoy) -> None:
    """Sends the first requests, and sees that a variant that splits does: else it would look cheap."""
    send_refused(proxy.port("ingress"))  # the profiles that go by a signal rely on it from then on
    with Connection(proxy.port("ingress")) as connection:
        send_many(connection, requests(), WARM_UP)
    green = proxy.stat("cluster.green.upstream_rq_total")
    if (green > 0) != variant.splits:
        expected = "about half" if variant.splits else "none"
        raise RuntimeError(
            f"{variant.name}: {green} of {WARM_UP} requests went to green, not {expected}; "
            f"see {proxy.directory}/envoy.log")
