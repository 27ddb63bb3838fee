"""A real etcd for the variants with a fleet."""

import os
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

READY_TIMEOUT_S = 30
NOBODY = 1  # a port at which nothing listens
HOW_TO_GET = "ETCD is no program, so a fleet can't be measured: `make etcd` gets one on Linux on x86-64."


def find_binary() -> str | None:
    binary = os.environ.get("ETCD", "")
    return os.path.abspath(binary) if os.access(binary, os.X_OK) else None


class Etcd:
    """One member; use it in a `with` statement."""

    def __init__(self, binary: str):
        self.binary = binary
        self.port, self.peer_port = free_port(), free_port()

    def __enter__(self) -> "Etcd":
        self.directory = tempfile.TemporaryDirectory()
        url, peer = f"http://127.0.0.1:{self.port}", f"http://127.0.0.1:{self.peer_port}"
        self.process = subprocess.Popen(
            [
                self.binary, "--data-dir", f"{self.directory.name}/data", "--log-level", "error",
                "--listen-client-urls", url, "--advertise-client-urls", url, "--listen-peer-urls", peer,
                "--initial-advertise-peer-urls", peer, "--initial-cluster", f"default={peer}",
            ],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            self.wait_until_ready()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_exception) -> None:
        self.process.kill()
        self.process.wait()
        self.directory.cleanup()

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + READY_TIMEOUT_S
        while not self.is_ready():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{self.binary} did not start")
            time.sleep(0.05)

    def is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health", timeout=1) as response:
                return b"true" in response.read()
        except (OSError, urllib.error.URLError):
            return False


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]
