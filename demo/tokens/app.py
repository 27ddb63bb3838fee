"""One color's service: it streams an answer by server-sent events, and tells the judge what it has answered.

    python -m demo.tokens.app --release 2026-10 --port 10001 --judge http://127.0.0.1:10009
"""

from __future__ import annotations

import argparse
import json
import queue
import threading
import uuid

import requests
import waitress
from flask import Flask, Response, jsonify, request

from demo.config import COLOR_HEADER
from demo.tokens.model import RELEASES, Model

THREADS = 48


def create_app(model: Model, answered: queue.Queue) -> Flask:
    app = Flask(__name__)
    release = model.release.label

    @app.get("/healthz")
    def healthz():
        return jsonify(release=release)

    @app.post("/answer")
    def answer():
        prompt, color = request.get_json()["prompt"], request.headers[COLOR_HEADER]

        def events():
            words = []
            for word in model.tokens(prompt):
                words.append(word)
                yield f"data: {json.dumps(word)}\n\n"
            yield "data: [DONE]\n\n"
            # A copy of a request is answered and judged like any other; no user sees the answer.
            answered.put({"id": uuid.uuid4().hex, "color": color, "release": release, "words": words})

        return Response(events(), content_type="text/event-stream")

    return app


def tell(judge: str, answered: queue.Queue) -> None:
    with requests.Session() as session:
        while True:
            session.post(judge, json=answered.get(), timeout=10)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--release", choices=RELEASES, required=True)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--judge", required=True, help="where answers are judged")
    args = parser.parse_args()
    answered: queue.Queue = queue.Queue()
    threading.Thread(target=tell, args=(args.judge, answered), daemon=True).start()
    app = create_app(Model(RELEASES[args.release]), answered)
    # Each event goes out at once.
    waitress.serve(app, host=args.host, port=args.port, threads=THREADS, send_bytes=1)


if __name__ == "__main__":
    main()
