"""An Envoy process: started, waited for, asked, stopped."""

import json
import os
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

READY_TIMEOUT_S = 300  # a thousand rollouts under callgrind on a busy machine take minutes


class Envoy:
    """Runs `bootstrap.yaml` of a directory; use it in a `with` statement."""

    def __init__(self, binary: str, directory: Path, *, concurrency: int = 1, under: tuple[str, ...] = ()):
        self.directory = directory
        self.command = [
            *under, binary, "-c", "./bootstrap.yaml", "--concurrency", str(concurrency),
            "--disable-hot-restart", "--admin-address-path", "admin.address", "--log-level", "warning",
        ]

    def __enter__(self) -> "Envoy":
        self.log = open(self.directory / "envoy.log", "wb")
        started = time.monotonic()
        self.process = subprocess.Popen(
            self.command, cwd=self.directory, stdout=self.log, stderr=subprocess.STDOUT)
        try:
            self.wait_until_ready()
        except BaseException:
            self.stop()
            raise
        self.start_s = time.monotonic() - started
        return self

    def __exit__(self, *_exception) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        return self.process.pid

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + READY_TIMEOUT_S
        while not self.is_ready():
            if self.process.poll() is not None or time.monotonic() > deadline:
                log = (self.directory / "envoy.log").read_text(errors="replace")
                raise RuntimeError(f"Envoy in {self.directory} did not start:\n{log[-2000:]}")
            time.sleep(0.01)

    def is_ready(self) -> bool:
        try:
            return self.get("/ready").startswith("LIVE")
        except (OSError, urllib.error.URLError):
            return False  # no address yet, or not listening on it yet

    def get(self, path: str) -> str:
        address = (self.directory / "admin.address").read_text()
        with urllib.request.urlopen(f"http://{address}{path}", timeout=READY_TIMEOUT_S) as response:
            return response.read().decode()

    def port(self, listener: str) -> int:
        for status in json.loads(self.get("/listeners?format=json"))["listener_statuses"]:
            if status["name"] == listener:
                return status["local_address"]["socket_address"]["port_value"]
        raise RuntimeError(f"Envoy in {self.directory} has no listener {listener!r}")

    def stat(self, name: str) -> int:
        found = json.loads(self.get(f"/stats?format=json&filter=^{name}$"))["stats"]
        if not found:
            raise RuntimeError(f"Envoy in {self.directory} has no stat {name!r}")
        return found[0]["value"]

    def cpu_ns(self) -> int:
        """CPU time of all threads so far."""
        return sum(
            int((task / "schedstat").read_text().split()[0])
            for task in Path(f"/proc/{self.pid}/task").iterdir())

    def rss_kib(self) -> int:
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1])
        raise RuntimeError(f"no VmRSS for process {self.pid}")

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()


def find_binary() -> str:
    binary = os.environ.get("ENVOY", "")
    if not binary:
        raise SystemExit("ENVOY is not set: give the path of an Envoy, or run `make bench`, which gets one.")
    return os.path.abspath(binary)


def version(binary: str) -> str:
    """The 1.40.0 of `envoy --version`."""
    output = subprocess.run([binary, "--version"], capture_output=True, text=True, check=True).stdout
    return output.strip().split("version: ")[1].split("/")[1]
