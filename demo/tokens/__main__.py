"""The story of the tokens on this machine: Envoy, two services that stream, users and a judge, on free ports.

python -m demo.tokens --envoy /path/to/envoy
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
from contextlib import ExitStack
from pathlib import Path

from demo.__main__ import ROOT, envoy_command, free_addresses
from demo.bootstrap import Addresses, write_bootstrap
from demo.config import ConfigFile
from demo.processes import Process, answers, wait_for
from demo.tokens.figures import figures_line
from demo.tokens.model import PLAIN, Release
from demo.tokens.report import Report
from demo.tokens.story import Story
from demo.watch import StepFailed, Watch


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--envoy", default=os.environ.get("ENVOY", "envoy"), help="Envoy's binary")
    parser.add_argument("--wasm", type=Path, default=os.environ.get("WASM", ROOT / "dist" / "bluegreen.wasm"))
    parser.add_argument(
        "--out", type=Path, default=ROOT / "demo" / "out" / "tokens", help="where logs and the picture go"
    )
    args = parser.parse_args()
    envoy = shutil.which(args.envoy)
    if envoy is None:
        parser.error(f"--envoy {args.envoy}: no such program; give Envoy's path, or set ENVOY")
    if not Path(args.wasm).is_file():
        parser.error(f"--wasm {args.wasm}: no such file; make build makes it")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))

    addresses = free_addresses()
    judge = free_addresses().proxy
    run = (args.out / "run").resolve()
    prepare(run, Path(args.wasm), addresses)
    print(f"Starting Envoy and the two services; their logs: {args.out}")
    with ExitStack() as started:

        def start(name: str, command: list[str], cwd: Path = ROOT) -> Process:
            return started.enter_context(Process(command, args.out / f"{name}.log", cwd))

        start("blue", app_command(PLAIN, addresses.blue, judge))
        green = start("green", app_command(PLAIN, addresses.green, judge))
        start("envoy", envoy_command(Path(envoy)), run)

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
                Story(ConfigFile(run / "bluegreen.yaml"), addresses, judge, deploy, watch, report).tell()
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


def prepare(run: Path, wasm: Path, addresses: Addresses) -> None:
    shutil.rmtree(run, ignore_errors=True)
    run.mkdir(parents=True)
    write_bootstrap(ROOT / "envoy" / "bootstrap.yaml", run / "bootstrap.yaml", addresses)
    shutil.copyfile(ROOT / "envoy" / "bluegreen.yaml", run / "bluegreen.yaml")
    shutil.copyfile(wasm, run / "bluegreen.wasm")


def app_command(release: Release, address: str, judge: str) -> list[str]:
    port = address.rsplit(":", 1)[1]
    options = ["--release", release.label, "--port", port, "--judge", f"http://{judge}"]
    return [sys.executable, "-m", "demo.tokens.app", *options]


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
