"""Memory by number of workers, what timers cost, and how long a pushed configuration takes to be in force on all of them."""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import config
import variants
from client import Connection, request, requests, send_many
from envoy import Envoy
from proxies import Proxies
from variants import Variant

CONCURRENCIES = [1, 2, 4]
REQUESTS_PER_CONNECTION = 100
PUSHES = 10
WORKERS = 2
IDLE_S = 5
MAX_CONNECTIONS = 64
IN_FORCE_TIMEOUT_S = 30


# === memory ===

def memory_variants() -> list[Variant]:
    return [variants.PLAIN_ROUTE, variants.NOOP, variants.STICKY, variants.with_rollouts(1000)]


@dataclass(frozen=True)
class Memory:
    """Resident memory in MiB and seconds until ready, by number of workers."""

    rss_mib: dict[int, float]
    start_s: dict[int, float]

    @property
    def per_worker_mib(self) -> float:
        first, last = min(self.rss_mib), max(self.rss_mib)
        return (self.rss_mib[last] - self.rss_mib[first]) / (last - first)


def measure_memory(proxies: Proxies, say) -> dict[str, Memory]:
    memory = {}
    for variant in memory_variants():
        rss_mib, start_s = {}, {}
        for concurrency in CONCURRENCIES:
            name = f"memory-{variant.name}-{concurrency}"
            with proxies.start(name, variant, concurrency=concurrency) as envoy:
                for connection in one_per_worker(envoy, concurrency):
                    with connection:
                        send_many(connection, requests(), REQUESTS_PER_CONNECTION)
                rss_mib[concurrency], start_s[concurrency] = envoy.rss_kib() / 1024, envoy.start_s
        memory[variant.name] = Memory(rss_mib, start_s)
        say(f"memory, {variant.name}: {rss_mib[1]:.0f} MiB with 1 worker")
    return memory


def one_per_worker(envoy: Envoy, workers: int) -> list[Connection]:
    """Opens connections until each worker has one, and keeps one of each."""
    port = envoy.port("ingress")
    kept: dict[int, Connection] = {}
    for _ in range(MAX_CONNECTIONS):
        before = accepted_by_worker(envoy, workers)
        connection = Connection(port)
        connection.send(request("user-000", 9, 0))
        after = accepted_by_worker(envoy, workers)
        worker = next(n for n in range(workers) if after[n] > before[n])
        if worker in kept:
            connection.socket.close()
            continue
        kept[worker] = connection
        if len(kept) == workers:
            return list(kept.values())
    raise RuntimeError(f"{MAX_CONNECTIONS} connections reached {len(kept)} of {workers} workers")


def accepted_by_worker(envoy: Envoy, workers: int) -> list[int]:
    """Connections of each worker so far. Envoy names the listener by its configured port, which is 0."""
    return [envoy.stat(f"listener.127.0.0.1_0.worker_{n}.downstream_cx_total") for n in range(workers)]


# === timers ===

@dataclass(frozen=True)
class Timers:
    """What an Envoy with a thousand guarded rollouts does when no request comes."""

    core_percent: float
    rss_mib: float
    start_s: float


def measure_timers(proxies: Proxies, say) -> Timers:
    say(f"timers of 1,000 rollouts with every feature: {IDLE_S} s without a request")
    variant = variants.EVERYTHING
    with proxies.start("timers", variant, concurrency=WORKERS) as envoy:
        before_ns = envoy.cpu_ns()
        time.sleep(IDLE_S)
        busy_s = (envoy.cpu_ns() - before_ns) / 1e9
        return Timers(busy_s / IDLE_S * 100, envoy.rss_kib() / 1024, envoy.start_s)


# === from the rename until all workers use it ===

@dataclass(frozen=True)
class Pushes:
    """Milliseconds, one figure per push."""

    in_force_ms: list[float]
    slowest_request_ms: list[float]


def measure_pushes(proxies: Proxies, say) -> Pushes:
    """Pushes 1,000 rollouts, all blue and all green in turn, and asks each worker until it obeys."""
    pushes = Pushes([], [])
    variant = Variant("push", "", plugin=variants.many_rollouts(1000, variants.ALL_BLUE))
    with proxies.start("push", variant, concurrency=WORKERS) as envoy:
        connections = one_per_worker(envoy, WORKERS)
        for connection in connections:
            wait_for(connection, b"blue\n", time.monotonic())
        for number in range(PUSHES):
            color, weights = (b"blue\n", variants.ALL_BLUE) if number % 2 else (b"green\n", variants.ALL_GREEN)
            config.write_plugin(envoy.directory, variants.many_rollouts(1000, weights))
            renamed = time.monotonic()
            with ThreadPoolExecutor(WORKERS) as pool:
                waits = list(pool.map(lambda connection: wait_for(connection, color, renamed), connections))
            pushes.in_force_ms.append(max(in_force_ms for in_force_ms, _ in waits))
            pushes.slowest_request_ms.append(max(slowest_ms for _, slowest_ms in waits))
            say(f"push {number + 1} of {PUSHES}: in force after {pushes.in_force_ms[-1]:.0f} ms")
        for connection in connections:
            connection.socket.close()
    return pushes


def wait_for(connection: Connection, color: bytes, since: float) -> tuple[float, float]:
    """Sends requests until the color answers. When that was, and the slowest request, in ms."""
    slowest_s = 0.0
    while time.monotonic() < since + IN_FORCE_TIMEOUT_S:
        sent = time.monotonic()
        body = connection.send(request("user-000", 9, 0))
        now = time.monotonic()
        slowest_s = max(slowest_s, now - sent)
        if body == color:
            return (now - since) * 1000, slowest_s * 1000
    raise RuntimeError(f"a worker does not answer with {color!r} {IN_FORCE_TIMEOUT_S} s after the push")
