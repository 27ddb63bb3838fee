"""The whole demo on this machine: Envoy, two applications, users and the truth, on free ports.

python -m demo --envoy /path/to/envoy
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import socket
import sys
from contextlib import ExitStack
from dataclasses import fields
from pathlib import Path

from demo.bootstrap import Addresses
from demo.drive import drive
from demo.place import Place
from demo.processes import Process

ROOT = Path(__file__).resolve().parent.parent


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--envoy", default=os.environ.get("ENVOY", "envoy"), help="Envoy's binary")
    parser.add_argument("--wasm", type=Path, default=os.environ.get("WASM", ROOT / "dist" / "bluegreen.wasm"))
    parser.add_argument(
        "--out", type=Path, default=ROOT / "demo" / "out", help="where logs and the picture go"
    )
    args = parser.parse_args()
    envoy = shutil.which(args.envoy)
    if envoy is None:
        parser.error(f"--envoy {args.envoy}: no such program; give Envoy's path, or set ENVOY")
    if not Path(args.wasm).is_file():
        parser.error(f"--wasm {args.wasm}: no such file; make build makes it")

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    addresses = free_addresses()
    place = Place(args.out / "run")
    place.prepare(ROOT / "envoy", Path(args.wasm), addresses)
    commands = {
        "blue": app_command(place, "blue", addresses.blue),
        "green": app_command(place, "green", addresses.green),
        "envoy": envoy_command(Path(envoy)),
    }
    print(f"Starting Envoy and the two applications; their logs: {args.out}")
    with ExitStack() as started:
        for name, command in commands.items():
            cwd = place.directory if name == "envoy" else ROOT
            started.enter_context(Process(command, args.out / f"{name}.log", cwd))
        return drive(place, addresses, args.out / "demo.png")


def free_addresses() -> Addresses:
    with ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in fields(Addresses)]
        for s in sockets:
            s.bind(("127.0.0.1", 0))
        return Addresses(*(f"127.0.0.1:{s.getsockname()[1]}" for s in sockets))


def app_command(place: Place, color: str, address: str) -> list[str]:
    port = address.rsplit(":", 1)[1]
    return [sys.executable, "-m", "demo.app", "--model", str(place.deployed(color)), "--port", port]


def envoy_command(envoy: Path) -> list[str]:
    options = "-c ./bootstrap.yaml --concurrency 2 --disable-hot-restart"
    logs = "--log-level warning --component-log-level wasm:info"
    return [str(envoy.resolve()), *options.split(), *logs.split()]


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
