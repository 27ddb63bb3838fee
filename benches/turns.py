"""CPU time and latency at a fixed rate, the variants taking turns so that a busy machine hits all alike."""

import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from statistics import quantiles

from client import Connection, requests
from envoy import Envoy

RATE_PER_S = 1000
REQUESTS = 1000  # of one turn
ROUNDS = 12


@dataclass
class Series:
    """What one variant did in its turns."""

    cpu_us: list[float] = field(default_factory=list)
    p50_us: list[float] = field(default_factory=list)
    p99_us: list[float] = field(default_factory=list)


@dataclass(frozen=True)
class Pace:
    """How fast requests come, and how many in a turn."""

    rate_per_s: int = RATE_PER_S
    requests: int = REQUESTS


def measure(proxies: dict[str, Envoy], say, pace: Pace = Pace()) -> dict[str, Series]:
    """A turn for each proxy, all over again, `ROUNDS` times."""
    batch = requests()
    series = {name: Series() for name in proxies}
    with ExitStack() as stack:
        connections = {
            name: stack.enter_context(Connection(envoy.port("ingress")))
            for name, envoy in proxies.items()}
        for round_number in range(1, ROUNDS + 1):
            say(f"CPU time and latency at {pace.rate_per_s} requests/s: round {round_number} of {ROUNDS}")
            for name, envoy in proxies.items():
                take_turn(envoy, connections[name], batch, series[name], pace)
    return series


def take_turn(envoy: Envoy, connection: Connection, batch: list[bytes], series: Series, pace: Pace) -> None:
    before_ns = envoy.cpu_ns()
    latencies_us = sorted(send_at_rate(connection, batch, pace))
    series.cpu_us.append((envoy.cpu_ns() - before_ns) / pace.requests / 1000)
    series.p50_us.append(latencies_us[pace.requests // 2])
    series.p99_us.append(latencies_us[pace.requests * 99 // 100])


def send_at_rate(connection: Connection, batch: list[bytes], pace: Pace) -> list[float]:
    """Latencies in µs. A request that is late because the one before was slow counts from when it was due."""
    latencies_us = []
    begun = time.perf_counter()
    for i in range(pace.requests):
        due = begun + i / pace.rate_per_s
        wait_s = due - time.perf_counter()
        if wait_s > 0:
            time.sleep(wait_s)
            due = time.perf_counter()
        connection.send(batch[i % len(batch)])
        latencies_us.append((time.perf_counter() - due) * 1e6)
    return latencies_us


def ratios(values: list[float], plain: list[float]) -> tuple[float, float, float]:
    """Quartiles of the ratio to the plain route's turn of the same round."""
    lower, middle, upper = quantiles([value / base for value, base in zip(values, plain, strict=True)])
    return lower, middle, upper
