"""A keep-alive HTTP/1.1 client, small enough not to be what is measured."""

import re
import socket

USERS = 100
TIMEOUT_S = 30
BASE_HEADERS = 5  # host, user-agent, x-bench-cluster, x-user-id, cookie
CONTENT_LENGTH = re.compile(rb"\r\ncontent-length: (\d+)\r\n", re.IGNORECASE)


def requests(header_count: int = 9, cookie_bytes: int = 0) -> list[bytes]:
    """One request per user, all of one length, to be sent in turn."""
    return [request(f"user-{user:03}", header_count, cookie_bytes) for user in range(USERS)]


def request(user: str, header_count: int, cookie_bytes: int) -> bytes:
    cookie = f"uid={user}"
    filler = "theme=dark; session=0123456789abcdef; "
    while len(cookie) < cookie_bytes:
        cookie = filler + cookie  # the one that is looked for stands last
    lines = [
        "GET /service-0/recommend?limit=10 HTTP/1.1",
        "host: shop-0.example.com",
        "user-agent: bench/1.0",
        "x-bench-cluster: blue",
        f"x-user-id: {user}",
        f"cookie: {cookie}",
        *(f"x-extra-{i:02}: value-{i:02}" for i in range(header_count - BASE_HEADERS)),
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


class Connection:
    """One connection; a request at a time."""

    def __init__(self, port: int):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT_S)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __enter__(self) -> "Connection":
        return self

    def __exit__(self, *_exception) -> None:
        self.socket.close()

    def send(self, request: bytes) -> bytes:
        """Sends a request and returns the body of its response, which must be a 200."""
        self.socket.sendall(request)
        head, _, body = self.receive_until(b"\r\n\r\n").partition(b"\r\n\r\n")
        length = CONTENT_LENGTH.search(head + b"\r\n")
        if not head.startswith(b"HTTP/1.1 200") or length is None:
            raise RuntimeError(f"expected a 200 with a content-length, got {head!r}")
        while len(body) < int(length[1]):
            body += self.receive()
        return body

    def receive_until(self, end: bytes) -> bytes:
        received = b""
        while end not in received:
            received += self.receive()
        return received

    def receive(self) -> bytes:
        data = self.socket.recv(65536)
        if not data:
            raise RuntimeError("Envoy closed the connection")
        return data


def send_refused(port: int) -> None:
    """Sends what the upstreams refuse, so that one stream does not end with a plain success."""
    upgrade = b"connection: upgrade\r\nupgrade: websocket\r\n\r\n"
    with Connection(port) as connection:
        connection.socket.sendall(request("user-000", BASE_HEADERS, 0).removesuffix(b"\r\n") + upgrade)
        head = connection.receive_until(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 403"):
            raise RuntimeError(f"expected a 403 to an upgrade, got {head!r}")


def send_many(connection: Connection, batch: list[bytes], count: int) -> None:
    for i in range(count):
        connection.send(batch[i % len(batch)])
