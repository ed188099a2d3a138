"""A static host for a folder."""

import contextlib
import functools
import http.server
import threading


class _Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves a folder without a line for each request."""

    def log_message(self, *args):
        """Passes."""


@contextlib.contextmanager
def served_folder(folder):
    """Serves a folder; yields its address."""
    handler = functools.partial(_Quiet, directory=folder)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        with running(server.serve_forever):
            yield f"http://127.0.0.1:{server.server_port}/"
            server.shutdown()


@contextlib.contextmanager
def running(function):
    """Runs a function in a thread, and waits a while for its end."""
    thread = threading.Thread(target=function, daemon=True)
    thread.start()
    yield
    thread.join(10)
