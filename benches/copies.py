#!/usr/bin/env python3
"""What copies of all requests cost: the same load with and without them, in turn, on two workers.

Says on stderr what it does, and prints a table. Wants ENVOY (an Envoy binary) and dist/bluegreen.wasm.
"""

import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass
from statistics import median

import config
import envoy
import turns
from client import Connection, requests, send_many
from envoy import Envoy
from proxies import WARM_UP, Proxies
from report import row, spread
from variants import COPIED, UNCOPIED

OUT = config.BENCHES / "out" / "copies"
FILTER = config.BENCHES.parent / "dist" / "bluegreen.wasm"
PATIENCE_S = 30


@dataclass(frozen=True)
class Load:
    """An upstream and how fast requests come to it."""

    delay_ms: int
    pace: turns.Pace
    warm_up: int


LOADS = [
    Load(0, turns.Pace(1000, 1000), WARM_UP),
    Load(10, turns.Pace(50, 100), 100),
]


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def main() -> None:
    binary = envoy.find_binary()
    if not FILTER.exists():
        raise SystemExit(f"{FILTER} is missing: run `make build` first.")
    rows = [row("upstream answers after", "requests a second", "p50", "p50 ÷ without", "CPU time", "CPU time ÷ without"),
            "|---|--:|--:|--:|--:|--:|"]
    for load in LOADS:
        series = measure(binary, load)
        without, copied = series[UNCOPIED.name], series[COPIED.name]
        rows.append(row(
            f"{load.delay_ms} ms", f"{load.pace.rate_per_s:,}",
            f"{median(without.p50_us):.0f} → {median(copied.p50_us):.0f} µs",
            spread(turns.ratios(copied.p50_us, without.p50_us)),
            f"{median(without.cpu_us):.0f} → {median(copied.cpu_us):.0f} µs",
            spread(turns.ratios(copied.cpu_us, without.cpu_us))))
    print("\n".join(rows))


def measure(binary: str, load: Load) -> dict[str, turns.Series]:
    upstreams = OUT / f"upstreams-{load.delay_ms}"
    config.write_upstreams(upstreams, load.delay_ms)
    with ExitStack() as stack:
        up = stack.enter_context(Envoy(binary, upstreams))
        ports = up.port("blue-upstream"), up.port("green-upstream")
        proxies = Proxies(binary, OUT, {"bluegreen.wasm": FILTER}, ports)
        running = {}
        for variant in (UNCOPIED, COPIED):
            proxy = stack.enter_context(proxies.start(f"{variant.name}-{load.delay_ms}", variant, concurrency=2))
            warm_up(proxy, load.warm_up, load.warm_up if variant == COPIED else 0)
            running[variant.name] = proxy
        return turns.measure(running, say, load.pace)


def warm_up(proxy: Envoy, count: int, copies: int) -> None:
    """Sends the first requests, and sees that the canary got as many of them as it should."""
    with Connection(proxy.port("ingress")) as connection:
        send_many(connection, requests(), count)
    deadline = time.monotonic() + PATIENCE_S
    while (got := proxy.stat("cluster.green.upstream_rq_total")) != copies:
        if time.monotonic() > deadline:
            raise RuntimeError(f"green got {got} copies of {count} requests, not {copies}; see {proxy.directory}/envoy.log")
        time.sleep(0.05)


if __name__ == "__main__":
    main()
