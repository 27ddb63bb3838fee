"""Tells the story to an Envoy and two applications that run: python -m demo.drive --help"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from demo.bootstrap import Addresses
from demo.place import Place
from demo.processes import answers, wait_for
from demo.report import Report
from demo.story import Story
from demo.watch import StepFailed, Watch


def drive(place: Place, addresses: Addresses, picture: Path) -> int:
    """Returns the exit status: 0 where every step happened."""
    report = Report()
    watch = Watch(addresses.admin)
    failure = None
    try:
        wait_for("Envoy is up", lambda: answers(f"http://{addresses.admin}/ready"))
        for app in (addresses.blue, addresses.green):
            wait_for(f"the application on {app} is up", lambda app=app: answers(f"http://{app}/healthz"))
        with watch:
            Story(place, addresses, watch, report).tell()
    except (StepFailed, TimeoutError, OSError) as error:
        failure = error
    print(f"\n{report.table()}\n")
    report.picture(watch.history, picture)
    print(f"Picture: {picture}")
    if failure:
        print(f"Failed, in step {len(report.steps)}: {failure}")
        return 1
    print(f"Every step happened, in {watch.elapsed_s():.0f} s.")
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dir", type=Path, required=True, help="the directory that demo.prepare filled")
    parser.add_argument("--proxy", default="127.0.0.1:10000", help="where Envoy listens")
    parser.add_argument("--admin", default="127.0.0.1:9901", help="where Envoy's admin listens")
    parser.add_argument("--blue", default="127.0.0.1:10001", help="the application on blue")
    parser.add_argument("--green", default="127.0.0.1:10002", help="the application on green")
    parser.add_argument("--picture", type=Path, default=Path("demo/out/demo.png"))
    args = parser.parse_args()
    return drive(Place(args.dir), Addresses(args.proxy, args.admin, args.blue, args.green), args.picture)


if __name__ == "__main__":
    sys.exit(main())
