"""A server on this machine that takes what is sent to it."""

import http.server
import threading


class Listener:
    """Listens on a free port until its block ends, and has `receive` answer each POST."""

    def __init__(self):
        receive = self.receive

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                receive(self, self.rfile.read(int(self.headers["content-length"])))

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def receive(self, request: http.server.BaseHTTPRequestHandler, body: bytes):
        raise NotImplementedError

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
