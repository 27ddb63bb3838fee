"""Prepares the shared directory, for the containers: python -m demo.prepare --help"""

from __future__ import annotations

import argparse
from pathlib import Path

from demo.bootstrap import Addresses
from demo.place import Place


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dir", type=Path, required=True, help="the directory to fill; what it holds goes")
    parser.add_argument("--shipped", type=Path, default=Path("envoy"), help="where Envoy's shipped files lie")
    parser.add_argument("--wasm", type=Path, default=Path("dist/bluegreen.wasm"))
    parser.add_argument("--proxy", default="127.0.0.1:10000", help="where Envoy is to listen")
    parser.add_argument("--admin", default="127.0.0.1:9901", help="where Envoy's admin is to listen")
    parser.add_argument("--blue", default="127.0.0.1:10001", help="where Envoy finds blue")
    parser.add_argument("--green", default="127.0.0.1:10002", help="where Envoy finds green")
    args = parser.parse_args()
    addresses = Addresses(args.proxy, args.admin, args.blue, args.green)
    Place(args.dir).prepare(args.shipped, args.wasm, addresses)


if __name__ == "__main__":
    main()
