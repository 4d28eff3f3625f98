"""The HTTP server that tests and benchmarks give to programs which push something."""
import json
import ssl
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


def accept(handler):
    handler.send_response(200)
    handler.send_header('Content-Length', '2')
    handler.end_headers()
    handler.wfile.write(b'{}')


class Receiver:
    """Keeps what it gets: (time, path, headers, body). `hang`: it never answers. `tls`: (certificate, key) of localhost.
    `answer` is given the http.server handler of each request."""

    def __init__(self, hang=False, tls=None, answer=accept):
        self.got = []
        self.release = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers['Content-Length']))
                outer.got.append((time.time(), self.path, dict(self.headers), body))
                if hang:
                    outer.release.wait(120)
                try:
                    answer(self)
                except OSError:
                    pass  # the client did not wait so long

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(('127.0.0.1', 0), Handler)
        self.server.daemon_threads = True
        self.url = f'http://127.0.0.1:{self.server.server_port}'
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*tls)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
            self.url = f'https://localhost:{self.server.server_port}'
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def events(self, path=None):
        return [json.loads(body) for _, at, _, body in self.got if path in (None, at)]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """From then on it refuses connections."""
        self.release.set()
        self.server.shutdown()
        self.server.server_close()
