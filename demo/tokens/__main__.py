"""The story of the tokens on this machine: Envoy, two services that stream, users and a judge, on free ports.

python -m demo.tokens --envoy /path/to/envoy
"""

from __future__ import annotations

import shutil
import sys
from contextlib import ExitStack
from pathlib import Path

from demo.bootstrap import Addresses, write_bootstrap
from demo.config import ConfigFile
from demo.local import ROOT, envoy_command, free_addresses, parse_options, run
from demo.processes import Process, answers, wait_for
from demo.tokens.figures import figures_line
from demo.tokens.model import PLAIN, Release
from demo.tokens.report import Report
from demo.tokens.story import Story
from demo.watch import StepFailed, Watch


def main() -> int:
    args = parse_options(__doc__, ROOT / "demo" / "out" / "tokens")
    addresses = free_addresses()
    judge = free_addresses().proxy
    place = (args.out / "run").resolve()
    prepare(place, args.wasm, addresses)
    print(f"Starting Envoy and the two services; their logs: {args.out}")
    with ExitStack() as started:

        def start(name: str, command: list[str], cwd: Path = ROOT) -> Process:
            return started.enter_context(Process(command, args.out / f"{name}.log", cwd))

        start("blue", app_command(PLAIN, addresses.blue, judge))
        green = start("green", app_command(PLAIN, addresses.green, judge))
        start("envoy", envoy_command(args.envoy), place)

        def deploy(release: Release) -> None:
            """Replaces green, which no user has."""
            green.stop()
            start(f"green-{release.label}", app_command(release, addresses.green, judge))

        wait_for("Envoy is up", lambda: answers(f"http://{addresses.admin}/ready"))
        for app in (addresses.blue, addresses.green):
            wait_for(f"the service on {app} is up", lambda app=app: answers(f"http://{app}/healthz"))
        report, watch = Report(), Watch(addresses.admin, figures_line)
        failure = None
        try:
            with watch:
                Story(ConfigFile(place / "bluegreen.yaml"), addresses, judge, deploy, watch, report).tell()
        except (StepFailed, TimeoutError, OSError) as error:
            failure = error
        picture = args.out / "tokens.png"
        report.picture(watch.history, picture)
        print(f"\nPicture: {picture}")
        if failure:
            print(f"Failed, in step {len(report.steps)}: {failure}")
            return 1
        print(f"Every step happened, in {watch.elapsed_s():.0f} s.")
        return 0


def prepare(place: Path, wasm: Path, addresses: Addresses) -> None:
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    write_bootstrap(ROOT / "envoy" / "bootstrap.yaml", place / "bootstrap.yaml", addresses)
    shutil.copyfile(ROOT / "envoy" / "bluegreen.yaml", place / "bluegreen.yaml")
    shutil.copyfile(wasm, place / "bluegreen.wasm")


def app_command(release: Release, address: str, judge: str) -> list[str]:
    port = address.rsplit(":", 1)[1]
    options = ["--release", release.label, "--port", port, "--judge", f"http://{judge}"]
    return [sys.executable, "-m", "demo.tokens.app", *options]


if __name__ == "__main__":
    run(main)
