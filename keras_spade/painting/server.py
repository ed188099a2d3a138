"""The painter's server: the page's files, and two requests."""

import ipaddress
import logging
import mimetypes
import socket
import webbrowser
from urllib.parse import urlsplit

import numpy as np

from keras_spade.painting.page_files import page_files

MAX_BYTES = 2**25
BYTES = "application/octet-stream"
HEADERS = {
    "Cache-Control": "no-cache",
    "Content-Security-Policy": "default-src 'self'; img-src 'self' blob:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def make_app(model, maps=(), host="127.0.0.1"):
    """The painter as a WSGI application, of Flask.

    It gives the files of the page, which are all in memory, and answers two requests, whose bodies
    are bytes: `paint` (ids, uint16, and the latent, float32, little-endian) with the pixels of the
    picture, `style` (an image file) with a latent. What is wrong is told in a line of text.

    Requests that name another host than this machine, and those that pages of other sites send, are
    refused: a browser that shows such a page reaches this machine too.

    Args:
        model: a `PaintingModel`.
        maps: label maps to begin with.
        host: the address or name that it is served at; a loopback address lets only this machine's
            own names through, others also addresses and this machine's name.

    Returns:
        A `flask.Flask`.

    Raises:
        ImportError: naming what is to be installed.
    """
    flask, _ = libraries()
    files = page_files(model, "engine_server.js", maps)
    height, width = model.generator.image_shape[:2]
    size = 2 * height * width + 4 * (model.generator.latent_dim or 0)
    app = flask.Flask(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = MAX_BYTES

    @app.before_request
    def check_origin():
        request = flask.request
        if not knows_host(request.host, host):
            flask.abort(
                403,
                f"This painter is served under another name than {request.host!r}. Open the "
                "address that it printed, or start it with that name: --host.",
            )
        if request.method == "POST":
            origin = request.headers.get("Origin")
            foreign = origin is not None and urlsplit(origin).netloc != request.host
            if foreign or request.mimetype != BYTES:
                flask.abort(403, "Only the painter's own page may ask for pictures.")

    @app.after_request
    def add_headers(response):
        response.headers.update(HEADERS)
        return response

    @app.errorhandler(Exception)
    def tell(error):
        code = getattr(error, "code", None) or (400 if isinstance(error, ValueError) else 500)
        if code == 500:
            app.logger.exception("A request failed.")
        text = getattr(error, "description", None) or str(error) or type(error).__name__
        return flask.Response(text, code, mimetype="text/plain")

    @app.get("/", defaults={"path": "index.html"})
    @app.get("/<path:path>")
    def file(path):
        if path not in files:
            flask.abort(404, "There is no such file.")
        # Windows' registry may tell another kind of scripts, and browsers refuse these then.
        script = "text/javascript" if path.endswith(".js") else None
        kind = script or mimetypes.guess_type(path)[0] or BYTES
        return flask.Response(files[path], mimetype=kind)

    @app.post("/paint")
    def paint():
        body = flask.request.get_data()
        if len(body) != size:
            raise ValueError(f"A map and a latent of this model are {size} bytes, got {len(body)}.")
        labels = np.frombuffer(body, "<u2", height * width).reshape(height, width)
        latent = np.frombuffer(body, "<f4", offset=2 * height * width)
        picture = model.paint(labels, latent if latent.size else None)
        return flask.Response(picture.tobytes(), mimetype=BYTES)

    @app.post("/style")
    def style():
        latent = model.style_of(flask.request.get_data())
        return flask.Response(latent.astype("<f4").tobytes(), mimetype=BYTES)

    return app


def knows_host(named, host) -> bool:
    """Whether a request for `named`, the `Host` it sends, is for a server at `host`.

    Pages of other sites can make their own names lead to this machine, but not addresses.
    """
    name = urlsplit(f"//{named}").hostname or ""
    if name in ("localhost", host.lower()):
        return True
    address = _address(name)
    at = _address(host)
    if host == "localhost" or (at is not None and at.is_loopback):
        return address is not None and address.is_loopback
    return address is not None or name == socket.gethostname().lower()


def _address(name):
    try:
        return ipaddress.ip_address(name)
    except ValueError:
        return None


def libraries():
    """Flask and waitress, which the extra `paint` installs."""
    try:
        import flask
        import waitress
    except ImportError as error:
        raise ImportError(
            f"The painter needs {error.name}, which cannot be imported here: "
            "pip install 'keras_spade[paint]'"
        ) from None
    return flask, waitress


def make_server(model, maps=(), host="127.0.0.1", port=8188):
    """The painter's server, of waitress; it listens, and answers once it runs.

    Args:
        model: a `PaintingModel`.
        maps: label maps to begin with.
        host: the address to listen at. Others than this machine's own let others paint.
        port: 0 for any that is free.

    Returns:
        The server, and its address.

    Raises:
        ValueError: for no host.
        OSError: if it cannot listen there.
        ImportError: naming what is to be installed.
    """
    _, waitress = libraries()
    if not host:
        raise ValueError("`host` must be an address or a name, got ''; 0.0.0.0 means all of IPv4.")
    app = make_app(model, maps, host)
    # It warns of every request that waits, as some do while a picture is painted.
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    shown = f"[{host}]" if ":" in host else host
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listening = socket.create_server((host, port), family=family)
    except (OSError, OverflowError) as error:
        told = getattr(error, "strerror", None) or error
        raise OSError(
            f"Cannot listen at {shown}:{port}: {told}; give other --host, --port."
        ) from error
    server = waitress.create_server(
        app,
        sockets=[listening],
        ident=None,
        max_request_body_size=MAX_BYTES + 1,  # Which it refuses, and cuts the connection.
        inbuf_overflow=2 * MAX_BYTES,  # What comes and goes stays in memory, not on the disk.
        outbuf_overflow=2 * MAX_BYTES,
    )
    # Addresses that mean all of a machine's can be listened at, but not opened everywhere.
    opened = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, shown)
    return server, f"http://{opened}:{server.effective_port}/"


def serve(model, maps=(), host="127.0.0.1", port=8188, open_browser=True):
    """Serves the painter until it is interrupted.

    Args:
        model: a `PaintingModel`.
        maps: label maps to begin with.
        host: as in `make_server`.
        port: as in `make_server`.
        open_browser: whether to open the page.

    Raises:
        OSError: if it cannot listen there.
        ImportError: naming what is to be installed.
    """
    server, address = make_server(model, maps, host, port)
    print(f"The painter is at {address} (Ctrl+C ends it).", flush=True)
    if open_browser:
        webbrowser.open(address)
    try:
        server.run()
    finally:
        server.close()
