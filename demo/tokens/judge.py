"""The judge: it rates each answer from 0 to 5, and sends the ratings to the filter, in batches.

An answer is as good as its triples of words are known to the manual: a function of the text alone. A judge that is a
language model itself would stand in the same place.
"""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
import json
from typing import Any

import requests

from demo.config import FEEDBACK_PATH, TOKEN_HEADER
from demo.tokens.config import ROLLOUT
from demo.tokens.model import corpus

SEND_EVERY_S = 0.5
BATCH = 200


class Judge:
    def __init__(self, address: str, proxy: str, token: str):
        words = corpus()
        self._known = set(zip(words, words[1:], words[2:]))
        self._url = f"http://{proxy}{FEEDBACK_PATH}"
        self._headers = {TOKEN_HEADER: token}
        self._pending: list[dict[str, Any]] = []
        self._lock = threading.Lock()
        self._stop = threading.Event()
        host, port = address.rsplit(":", 1)
        self._server = ThreadingHTTPServer((host, int(port)), self._handler())
        self._threads = [threading.Thread(target=run, daemon=True) for run in (self._serve, self._send)]
        self.refused: list[str] = []
        self.sent = 0

    def __enter__(self) -> Judge:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_) -> None:
        self._stop.set()
        self._server.shutdown()
        self._server.server_close()
        for thread in self._threads:
            thread.join()

    def rate(self, words: list[str]) -> float:
        triples = list(zip(words, words[1:], words[2:]))
        return round(5 * sum(triple in self._known for triple in triples) / len(triples), 2)

    def _take(self, answer: dict[str, Any]) -> None:
        item = {
            "rollout": ROLLOUT,
            "color": answer["color"],
            "release": answer["release"],
            "id": answer["id"],
            "scores": {"rating": [self.rate(answer["words"])]},
        }
        with self._lock:
            self._pending.append(item)

    def _handler(judge) -> type:
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                judge._take(json.loads(self.rfile.read(int(self.headers["content-length"]))))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_):
                pass

        return Handler

    def _serve(self) -> None:
        self._server.serve_forever(poll_interval=0.1)

    def _send(self) -> None:
        """What is not taken is sent again: the ids keep it from counting twice. Ratings of a release that is over are
        answered with 409, and dropped."""
        while not self._stop.wait(SEND_EVERY_S):
            with self._lock:
                batch = self._pending[:BATCH]
            if not batch:
                continue
            try:
                response = requests.post(self._url, json=batch, headers=self._headers, timeout=5)
            except requests.RequestException:
                continue
            if response.status_code == 204:
                self.sent += len(batch)
            elif response.status_code < 500:
                self.refused.append(f"{response.status_code} {response.text.strip()[:200]}")
            else:
                continue
            with self._lock:
                del self._pending[: len(batch)]
