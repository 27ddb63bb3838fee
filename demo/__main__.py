"""The whole demo on this machine: Envoy, two applications, users and the truth, on free ports.

python -m demo --envoy /path/to/envoy
"""

from __future__ import annotations

import sys
from contextlib import ExitStack

from demo.drive import drive
from demo.local import ROOT, envoy_command, free_addresses, parse_options, run
from demo.place import Place
from demo.processes import Process


def main() -> int:
    args = parse_options(__doc__, ROOT / "demo" / "out")
    addresses = free_addresses()
    place = Place(args.out / "run")
    place.prepare(ROOT / "envoy", args.wasm, addresses)
    commands = {
        "blue": app_command(place, "blue", addresses.blue),
        "green": app_command(place, "green", addresses.green),
        "envoy": envoy_command(args.envoy),
    }
    print(f"Starting Envoy and the two applications; their logs: {args.out}")
    with ExitStack() as started:
        for name, command in commands.items():
            cwd = place.directory if name == "envoy" else ROOT
            started.enter_context(Process(command, args.out / f"{name}.log", cwd))
        return drive(place, addresses, args.out / "demo.png")


def app_command(place: Place, color: str, address: str) -> list[str]:
    port = address.rsplit(":", 1)[1]
    return [sys.executable, "-m", "demo.app", "--model", str(place.deployed(color)), "--port", port]


if __name__ == "__main__":
    run(main)
