#!/usr/bin/env python3
"""What a request costs with this filter on a real Envoy, beside the alternatives.

Says on stderr what it does; prints the tables on stdout and keeps them in benches/out/report.md.
Wants ENVOY (an Envoy binary), dist/bluegreen.wasm and cargo; valgrind for the counts of instructions.

    bench.py                      everything, in under ten minutes
    bench.py --only sticky lua    only the instructions of these variants and of the plain route
    bench.py --fleet              only the instructions with and without a fleet
"""

import argparse
import contextlib
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import callgrind
import config
import envoy
import growth
import instructions
import report
import store
import turns
import variants
from envoy import Envoy
from proxies import Proxies, warm_up

OUT = config.BENCHES / "out"
FILTER = config.BENCHES.parent / "dist" / "bluegreen.wasm"
BEGUN = time.monotonic()


def say(text: str) -> None:
    print(f"[{time.monotonic() - BEGUN:4.0f} s] {text}", file=sys.stderr, flush=True)


def main() -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended by SIGTERM"))  # and so stop every Envoy
    names = [variant.name for variant in variants.COMPARED]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=names, help="count instructions of these only")
    parser.add_argument("--fleet", action="store_true", help="count instructions with and without a fleet only")
    arguments = parser.parse_args()
    binary = envoy.find_binary()
    if not FILTER.exists():
        raise SystemExit(f"{FILTER} is missing: run `make build` first.")
    OUT.mkdir(exist_ok=True)
    measured = Path(shutil.copy(FILTER, OUT))  # so that a build in the meantime does not change it
    wasm = {"bluegreen.wasm": measured} | {f"{name}.wasm": build(name) for name in ("noop", "floor")}
    config.write_upstreams(OUT / "run" / "upstreams")
    with Envoy(binary, OUT / "run" / "upstreams") as upstreams:
        ports = upstreams.port("blue-upstream"), upstreams.port("green-upstream")
        proxies = Proxies(binary, OUT, wasm, ports)
        if arguments.fleet:
            text = measure_fleet_only(proxies)
        elif arguments.only:
            text = measure_only(proxies, arguments.only)
        else:
            text = measure_all(proxies)
    (OUT / "report.md").write_text(text + "\n")
    say(f"done; kept in {OUT / 'report.md'}")
    print(text)


def build(name: str) -> Path:
    """One of the filters that this one is held against."""
    say(f"building the filter {name}")
    target = "wasm32-unknown-unknown"
    subprocess.run(
        ["cargo", "build", "--quiet", "--release", "--locked", "--target", target, "--target-dir", OUT / "target"],
        cwd=config.BENCHES / name, check=True)
    return OUT / "target" / target / "release" / f"{name}.wasm"


def measure_only(proxies: Proxies, names: list[str]) -> str:
    if not callgrind.available():
        raise SystemExit(callgrind.HOW_TO_GET)
    chosen = [variant for variant in variants.COMPARED if variant.name in ("plain", *names)]
    counts = instructions.measure(proxies, [(variant, [instructions.NINE_HEADERS]) for variant in chosen], say)
    return "\n".join(report.row(variant.title, *report.instructions(counts, variant)) for variant in chosen)


def measure_fleet_only(proxies: Proxies) -> str:
    if not callgrind.available():
        raise SystemExit(callgrind.HOW_TO_GET)
    counts = measure_fleet(proxies)
    return report.fleet_row(counts) if counts else store.HOW_TO_GET


def measure_fleet(proxies: Proxies) -> list[tuple[str, callgrind.Count]]:
    """Nothing where there is no etcd."""
    binary = store.find_binary()
    if binary is None:
        say(store.HOW_TO_GET)
        return []
    with store.Etcd(binary) as etcd:
        return instructions.measure_fleet(proxies, etcd.port, say)


def measure_all(proxies: Proxies) -> str:
    series = measure_times(proxies)
    memory = growth.measure_memory(proxies, say)
    timers = growth.measure_timers(proxies, say)
    pushes = growth.measure_pushes(proxies, say)
    if callgrind.available():
        counts = instructions.measure(proxies, instructions.jobs(), say)
        fleet = measure_fleet(proxies)
    else:
        counts, fleet = {}, []
        say(callgrind.HOW_TO_GET)
    return report.whole(envoy.version(proxies.binary), counts, series, memory, timers, pushes, fleet)


def measure_times(proxies: Proxies) -> dict[str, turns.Series]:
    with contextlib.ExitStack() as stack:
        running = {}
        for variant in variants.COMPARED:
            say(f"starting Envoy: {variant.name}")
            running[variant.name] = stack.enter_context(proxies.start(f"turns-{variant.name}", variant))
            warm_up(variant, running[variant.name])
        return turns.measure(running, say)


if __name__ == "__main__":
    main()
