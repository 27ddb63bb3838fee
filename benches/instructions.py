"""Which instructions are counted: each variant in its own Envoy under callgrind, a few at a time."""

import os
import socket
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import replace

import callgrind
import store
import variants
from callgrind import Count, Counter
from client import Connection, requests, send_many
from proxies import WARM_UP, Proxies, warm_up
from variants import Variant

SETTLE = 200  # callgrind translates the code anew when it begins to count
REQUESTS = 300
TIMED_REQUESTS = 3000  # some seconds, so that the timers' part is the same in each round
CHUNKS = 1000
CHUNK = b"400\r\n" + b"x" * 1024 + b"\r\n"
STREAM_HEAD = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"

NINE_HEADERS, COOKIE_4K, STREAM = "9 headers", "4 KiB cookie", "streamed chunk"
ALONE, CONNECTED = "without a fleet", "in a fleet whose etcd answers"
SHAPES = {
    "5 headers": requests(header_count=5),
    NINE_HEADERS: requests(),
    "20 headers": requests(header_count=20),
    "60 headers": requests(header_count=60),
    COOKIE_4K: requests(cookie_bytes=4096),
}
# The route's timeout would cut the stream off; a client that Envoy takes for internal may lift it.
STREAM_REQUEST = SHAPES[NINE_HEADERS][0].replace(b"x-extra-00: value-00", b"x-envoy-upstream-rq-timeout-ms: 0")
HEADER_SHAPES = ["5 headers", NINE_HEADERS, "20 headers", "60 headers"]

Counts = dict[tuple[str, str], Count]  # by variant name and shape of request


def jobs() -> list[tuple[Variant, list[str]]]:
    """The variants, and the shapes of request each is measured with. The slowest to start go first."""
    shapes_of = {variants.PLAIN_ROUTE.name: list(SHAPES), variants.STICKY.name: HEADER_SHAPES}
    return [
        *((variant, shapes_of.get(variant.name, [NINE_HEADERS])) for variant in reversed(variants.COMPARED)),
        *((variants.with_rollouts(count), [NINE_HEADERS]) for count in reversed(variants.ROLLOUT_COUNTS)),
        (variants.STICKY_COOKIE, [NINE_HEADERS, COOKIE_4K]),
        *((variant, [STREAM]) for variant in variants.STREAMED),
    ]


def measure(proxies: Proxies, chosen: list[tuple[Variant, list[str]]], say) -> Counts:
    counts: Counts = {}
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        futures = [pool.submit(measure_one, proxies, variant, shapes) for variant, shapes in chosen]
        try:
            for done, future in enumerate(as_completed(futures), start=1):
                for key, count in future.result().items():
                    counts[key] = count
                    say(f"instructions, {done} of {len(chosen)}: {', '.join(key)}: {count.median:.1f} thousand")
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)  # begin no further Envoy
            raise
    return counts


def measure_fleet(proxies: Proxies, etcd_port: int, say) -> list[tuple[str, Count]]:
    """The same requests without a fleet and in one: the filter's timers off, and on with an etcd that answers or is gone.

    Without timers a fleet is never asked, so requests must not wait for it.
    """
    in_fleet = variants.in_fleet(etcd_port)
    chosen = [
        (f"{ALONE}, timers off", variants.STICKY, False),
        ("in a fleet, timers off", replace(in_fleet, withheld=("proxy_continue_stream",)), False),
        (f"{ALONE}, timers on", variants.STICKY, True),
        (CONNECTED, in_fleet, True),
        ("in a fleet whose etcd is gone", replace(in_fleet, etcd_port=store.NOBODY), True),
    ]
    counts = []
    for title, variant, ticks in chosen:
        count = count_requests(proxies, title, variant, ticks)
        counts.append((title, count))
        say(f"instructions, {title}: {count.median:.1f} thousand")
    return counts


def count_requests(proxies: Proxies, title: str, variant: Variant, ticks: bool) -> Count:
    batch = SHAPES[NINE_HEADERS]
    directory = f"callgrind-{title.replace(' ', '-')}"
    with proxies.start(directory, variant, under=callgrind.COMMAND, ticks=ticks) as envoy:
        warm_up(variant, envoy)
        is_connected = variant.etcd_port is not None and envoy.stat("wasmcustom.bluegreen.fleet_connected")
        if bool(is_connected) != (title == CONNECTED):
            raise RuntimeError(f"{title}: fleet_connected is {is_connected}; see {envoy.directory}/envoy.log")
        with Connection(envoy.port("ingress")) as connection:
            counter = Counter(envoy)
            send_many(connection, batch, SETTLE)
            return counter.count(lambda: send_many(connection, batch, TIMED_REQUESTS), TIMED_REQUESTS)


def measure_one(proxies: Proxies, variant: Variant, shapes: list[str]) -> Counts:
    if shapes == [STREAM]:
        return {(variant.name, STREAM): count_chunks(proxies, variant)}
    counts = {}
    with proxies.start(f"callgrind-{variant.name}", variant, under=callgrind.COMMAND, ticks=False) as envoy:
        warm_up(variant, envoy)
        with Connection(envoy.port("ingress")) as connection:
            counter = Counter(envoy)
            for shape in shapes:
                batch = SHAPES[shape]
                send_many(connection, batch, SETTLE)
                counts[variant.name, shape] = counter.count(
                    lambda: send_many(connection, batch, REQUESTS), REQUESTS)
    return counts


def count_chunks(proxies: Proxies, variant: Variant) -> Count:
    """What a chunk of a streamed response costs. Each is sent when the one before has arrived."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with proxies.start(
            f"callgrind-stream-{variant.name}", variant,
            under=callgrind.COMMAND, ports=(port, port), ticks=False,
        ) as envoy, Connection(envoy.port("ingress")) as client:
            client.socket.sendall(STREAM_REQUEST)
            upstream, _ = server.accept()
            with upstream:
                upstream.sendall(STREAM_HEAD)
                client.receive_until(b"\r\n\r\n")
                stream(upstream, client, WARM_UP)
                counter = Counter(envoy)
                stream(upstream, client, SETTLE)
                return counter.count(lambda: stream(upstream, client, CHUNKS), CHUNKS)


def stream(upstream: socket.socket, client: Connection, chunks: int) -> None:
    for _ in range(chunks):
        upstream.sendall(CHUNK)
        client.receive_until(CHUNK)
