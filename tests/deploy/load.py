"""HTTP/1.1 clients: a bounded load that keeps its connections, and single requests on new ones."""

import asyncio
import http.client
import threading
import time
from collections import Counter

PAUSE = 0.005


class Load:
    """Requests on a few connections until stopped. A failure is anything but a 200."""

    def __init__(self, ports, host: str, connections=4):
        self.ports = list(ports)
        self.host = host
        self.connections = connections
        self.sent = 0
        self.failures = Counter()
        self.served_by = Counter()
        self.running = True
        self.thread = threading.Thread(target=lambda: asyncio.run(self._all()), daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.running = False
        self.thread.join(20)

    async def _all(self):
        await asyncio.gather(*(self._client(port, i) for port in self.ports for i in range(self.connections)))

    async def _client(self, port, client):
        stream = None
        user = 0
        while self.running:
            user += 1
            self.sent += 1
            try:
                stream = stream or await asyncio.open_connection("127.0.0.1", port)
                status, headers = await asyncio.wait_for(self._request(*stream, f"user-{client}-{user}"), 10)
            except Exception as error:  # whatever it is, this request has failed
                self.failures[repr(error)] += 1
                stream = None
                continue
            if status == 200:
                self.served_by[headers.get("x-served-by")] += 1
            else:
                self.failures[status] += 1
            if headers.get("connection", "").lower() == "close":
                stream[1].close()
                stream = None
            await asyncio.sleep(PAUSE)
        if stream:
            stream[1].close()

    async def _request(self, reader, writer, user):
        writer.write(f"GET /v1/ HTTP/1.1\r\nhost: {self.host}\r\nx-user-id: {user}\r\n\r\n".encode())
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
        await reader.readexactly(int(headers.get("content-length", 0)))
        return int(head[0].split()[1]), headers


def get(port: int, host: str, path="/v1/", **headers):
    """One request on a connection of its own."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request("GET", path, headers={"host": host, **headers})
        response = connection.getresponse()
        response.read()
        return response
    finally:
        connection.close()


def get_repeated(port: int, host: str, path: str, name: str, values: list):
    """One request with a header that stands in it more than once."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.putrequest("GET", path, skip_host=True)
        connection.putheader("host", host)
        for value in values:
            connection.putheader(name, value)
        connection.endheaders()
        response = connection.getresponse()
        response.read()
        return response
    finally:
        connection.close()


def served_by(port: int, host: str, **headers) -> str:
    return get(port, host, **headers).headers["x-served-by"]


def seconds_until(port: int, host: str, color: str, since: float, in_a_row=8) -> float:
    """From `since` until the first of `in_a_row` requests on new connections that this color serves."""
    deadline = since + 10
    first, row = None, 0
    while row < in_a_row:
        now = time.monotonic()
        assert now < deadline, f"{color} does not serve after 10 s"
        if served_by(port, host) == color:
            first = first or now
            row += 1
        else:
            first, row = None, 0
            time.sleep(0.002)
    return first - since
