"""The HTTP server that tests give to programs which push something."""
import json
import ssl
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Receiver:
    """Keeps what it gets: (time, path, headers, body). `hang`: it never answers. `tls`: (certificate, key) of localhost."""

    def __init__(self, hang=False, tls=None):
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
                    self.send_response(200)
                    self.send_header('Content-Length', '2')
                    self.end_headers()
                    self.wfile.write(b'{}')
                except OSError:
                    pass  # it did not wait so long

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
        self.release.set()
        self.server.shutdown()
        self.server.server_close()
