"""A blue and a green model behind Envoy: each answers as late, as often with an error, and as well as it is told."""

import asyncio
import random
import threading
from dataclasses import dataclass


@dataclass
class Behavior:
    """How a color does."""

    errors: float = 0.0
    delay: float = 0.004
    accuracy: float = 0.9


class Upstreams:
    """Both, in a thread of their own."""

    def __init__(self):
        self.behavior = {"blue": Behavior(), "green": Behavior()}
        self.ports = {}
        self.loop = asyncio.new_event_loop()
        self.random = random.Random(1)
        ready = threading.Event()
        self.thread = threading.Thread(target=self._run, args=[ready], daemon=True)
        self.thread.start()
        assert ready.wait(30), "the upstreams do not start"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10)

    def _run(self, ready):
        asyncio.set_event_loop(self.loop)
        for color in self.behavior:
            serve = asyncio.start_server(lambda r, w, color=color: self._connection(color, r, w), "127.0.0.1", 0)
            server = self.loop.run_until_complete(serve)
            self.ports[color] = server.sockets[0].getsockname()[1]
        ready.set()
        self.loop.run_forever()

    async def _connection(self, color, reader, writer):
        try:
            while True:
                await reader.readuntil(b"\r\n\r\n")
                behavior = self.behavior[color]
                await asyncio.sleep(behavior.delay * self.random.lognormvariate(0, 0.4))
                writer.write(self._answer(color, behavior))
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    def _answer(self, color, behavior) -> bytes:
        status = "503 Service Unavailable" if self.random.random() < behavior.errors else "200 OK"
        positive = self.random.random() < 0.5
        right = self.random.random() < behavior.accuracy
        outcome = ("tp" if positive else "tn") if right else ("fn" if positive else "fp")
        label = self.random.choice("ab") if color == "green" else "a"
        return (f"HTTP/1.1 {status}\r\nx-served-by: {color}\r\nx-bluegreen-outcome: {outcome}\r\n"
                f"x-bluegreen-score: rating={self.random.randint(3, 5)}\r\nx-bluegreen-label: {label}\r\n"
                f"content-length: {len(color)}\r\n\r\n{color}").encode()
