"""What both stories need on this machine: the command line, free ports, and Envoy."""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import socket
import sys
from contextlib import ExitStack
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Callable

from demo.bootstrap import Addresses

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Options:
    envoy: Path
    wasm: Path
    out: Path


def parse_options(description: str, out: Path) -> Options:
    """Reads the command line; `out` is where logs and the picture go where it does not say."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--envoy", default=os.environ.get("ENVOY", "envoy"), help="Envoy's binary")
    parser.add_argument("--wasm", type=Path, default=os.environ.get("WASM", ROOT / "dist" / "bluegreen.wasm"))
    parser.add_argument("--out", type=Path, default=out, help="where logs and the picture go")
    args = parser.parse_args()
    envoy = shutil.which(args.envoy)
    if envoy is None:
        parser.error(f"--envoy {args.envoy}: no such program; give Envoy's path, or set ENVOY")
    if not Path(args.wasm).is_file():
        parser.error(f"--wasm {args.wasm}: no such file; make build makes it")
    return Options(Path(envoy), Path(args.wasm), args.out)


def run(main: Callable[[], int]) -> None:
    """Ends with the status of `main`. What it has started ends with a signal, too."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)


def free_addresses() -> Addresses:
    with ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in fields(Addresses)]
        for s in sockets:
            s.bind(("127.0.0.1", 0))
        return Addresses(*(f"127.0.0.1:{s.getsockname()[1]}" for s in sockets))


def envoy_command(envoy: Path) -> list[str]:
    options = "-c ./bootstrap.yaml --concurrency 2 --disable-hot-restart"
    logs = "--log-level warning --component-log-level wasm:info"
    return [str(envoy.resolve()), *options.split(), *logs.split()]
