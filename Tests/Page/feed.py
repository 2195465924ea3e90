"""A small server that serves the page, and the pictures that a test sets, like tfi-consumer."""
import http.server
import json
import pathlib
import threading
import time
import urllib.parse

PAGE = pathlib.Path(__file__).resolve().parents[2] / 'Sources' / 'TFIConsumer' / 'Page'
POLICY = ("default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
          "base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
TYPES = {'html': 'text/html; charset=utf-8', 'css': 'text/css; charset=utf-8',
         'js': 'text/javascript; charset=utf-8'}


class Feed:
    """Serves at `url`. A test changes what it serves by the methods, from its own thread."""

    def __init__(self, picture, version='0.2.0'):
        self.changed = threading.Condition()
        self.version = version
        # Lines for each day; None is the current day.
        self.lines = {None: json.dumps(picture)}
        self.number = 0
        # Streams of an older generation end.
        self.generation = 0
        self.is_refusing = False
        self.is_silent = False
        self.loads = 0
        self.streams = []
        self.stopped = False
        feed = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                feed.answer(self)

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            block_on_close = False

        self.server = Server(('127.0.0.1', 0), Handler)
        self.url = 'http://127.0.0.1:%d/' % self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def show(self, picture, day=None):
        self.show_line(json.dumps(picture), day)

    def show_line(self, line, day=None):
        with self.changed:
            self.lines[day] = line
            self.number += 1
            self.changed.notify_all()

    def cut(self, refusing):
        """Ends all streams; while refusing, no new one is accepted."""
        with self.changed:
            self.generation += 1
            self.is_refusing = refusing
            self.changed.notify_all()

    def silence(self, silent):
        """While silent, streams stay open and say nothing: no pictures and no beats."""
        with self.changed:
            self.is_silent = silent
            self.changed.notify_all()

    def upgrade(self, version):
        with self.changed:
            self.version = version

    def stop(self):
        with self.changed:
            self.stopped = True
            self.changed.notify_all()
        self.server.shutdown()
        self.server.server_close()

    def answer(self, request):
        address = urllib.parse.urlsplit(request.path)
        if address.path == '/events':
            query = urllib.parse.parse_qs(address.query)
            self.stream(request, query.get('day', [None])[0])
            return
        name = {'/': 'page.html', '/page.css': 'page.css', '/page.js': 'page.js'}.get(address.path)
        if name is None:
            request.send_error(404)
            return
        body = (PAGE / name).read_bytes()
        if name == 'page.html':
            self.loads += 1
            body = body.replace(b'{{version}}', self.version.encode())
        request.send_response(200)
        request.send_header('Content-Type', TYPES[name.split('.')[1]])
        request.send_header('Content-Length', str(len(body)))
        request.send_header('Cache-Control', 'no-store')
        request.send_header('Content-Security-Policy', POLICY)
        request.send_header('X-Content-Type-Options', 'nosniff')
        request.end_headers()
        request.wfile.write(body)

    def stream(self, request, day):
        with self.changed:
            self.streams.append((time.monotonic(), day))
            refusing, generation = self.is_refusing, self.generation
        if refusing:
            request.send_error(503)
            return
        request.send_response(200)
        request.send_header('Content-Type', 'text/event-stream; charset=utf-8')
        request.send_header('Cache-Control', 'no-store')
        request.end_headers()
        sent = None
        beat = time.monotonic() + 5
        try:
            while True:
                with self.changed:
                    ready = self.changed.wait_for(
                        lambda: self.stopped or generation != self.generation
                        or (not self.is_silent and sent != self.lines.get(day)),
                        timeout=max(0.0, beat - time.monotonic()))
                    if self.stopped or generation != self.generation:
                        break
                    line, silent = self.lines.get(day), self.is_silent
                if ready and line is not None:
                    sent = line
                    request.wfile.write(b'data: ' + line.encode() + b'\n\n')
                elif not silent:
                    request.wfile.write(b'event: beat\ndata: 1\n\n')
                request.wfile.flush()
                beat = time.monotonic() + 5
        except OSError:
            pass
        request.close_connection = True
