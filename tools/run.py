#!/usr/bin/env python3
"""Runs Envoy with bluegreen and an embedded blue and green upstream, in the foreground."""

import argparse
import pathlib
import shutil
import signal
import subprocess
import sys
import time

import admin

ROOT = pathlib.Path(__file__).resolve().parent.parent
READY_WITHIN_S = 30

WELCOME = """\
Envoy is up: http://{listener} (admin http://{admin}, log {log}).
Blue and green answer with their names; green gets 10 %. In another terminal:

  curl -i -H 'x-user-id: alice' http://{listener}/    # the same color each time
  curl -i http://{listener}/                          # no key: a cookie makes it sticky
  make shift GREEN=25                                      # in the next requests
  make stats                                               # per color

The file to edit is {config}, made anew at each start. Envoy takes a new version
when it is renamed into place. Ctrl-C ends all."""


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--envoy", required=True, help="path to envoy")
    parser.add_argument("--dir", required=True, type=pathlib.Path, help="directory to run in")
    arguments = parser.parse_args()

    if admin.is_ready():
        sys.exit(f"run: an Envoy already answers on {admin.ADDRESS}: end that one first")
    run_dir = ROOT / arguments.dir
    prepare(run_dir)
    log_path = run_dir / "envoy.log"
    for end in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(end, lambda *_: sys.exit(0))
    with open(log_path, "w") as log:
        envoy = start(arguments.envoy, run_dir, log)
        try:
            wait_until_ready(envoy, log_path)
            names = {"log": relative(log_path), "config": relative(run_dir / "bluegreen.yaml")}
            print(WELCOME.format(listener=admin.LISTENER, admin=admin.ADDRESS, **names), flush=True)
            sys.exit(f"run: Envoy ended with exit code {envoy.wait()}{end_of(log_path)}")
        except KeyboardInterrupt:
            return 0
        finally:
            envoy.terminate()
            envoy.wait()


def prepare(run_dir):
    """Lays out what an operator has beside Envoy: two files and the filter."""
    run_dir.mkdir(exist_ok=True)
    for source in ("envoy/bootstrap.yaml", "envoy/bluegreen.yaml", "dist/bluegreen.wasm"):
        shutil.copy(ROOT / source, run_dir)


def start(envoy, run_dir, log):
    command = [
        envoy_path(envoy),
        "--config-path", "./bootstrap.yaml",
        "--config-yaml", (ROOT / "envoy/upstreams.yaml").read_text(),
        "--concurrency", "2",
        "--disable-hot-restart",
    ]
    try:
        # A session of its own: Ctrl-C reaches Envoy through us alone, so nothing ends twice.
        return subprocess.Popen(
            command, cwd=run_dir, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
        )
    except OSError as error:
        sys.exit(f"run: {envoy} can't be started: {error.strerror}")


def envoy_path(envoy):
    """A path stays what it is although Envoy runs in another directory; a bare name is looked up."""
    found = shutil.which(envoy)
    return str(pathlib.Path(found).resolve()) if found else envoy


def wait_until_ready(envoy, log_path):
    deadline = time.monotonic() + READY_WITHIN_S
    while not admin.is_ready():
        if envoy.poll() is not None or time.monotonic() > deadline:
            sys.exit(f"run: Envoy did not come up (exit code {envoy.poll()}){end_of(log_path)}")
        time.sleep(0.05)


def end_of(log_path):
    tail = "".join(open(log_path).readlines()[-5:])
    return f"; the end of {relative(log_path)}:\n{tail}"


def relative(path):
    return path.relative_to(ROOT)


if __name__ == "__main__":
    sys.exit(main())
