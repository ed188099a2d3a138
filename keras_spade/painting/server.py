"""The painter's server: the page's files, and two requests."""

import ipaddress
import logging
import mimetypes
import socket
import webbrowser
from collections.abc import Sequence
from types import ModuleType
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import numpy as np

from keras_spade.painting.page_files import page_files
from keras_spade.painting.painting_model import PaintingModel

if TYPE_CHECKING:
    import flask


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


def make_app(
    model: PaintingModel, maps: Sequence[np.ndarray] = (), host: str = "127.0.0.1"
) -> "flask.Flask":
    """Makes the painter a WSGI application with Flask.

    It serves the files of the page from memory, and answers two requests, whose bodies
    are bytes: `paint` (ids, uint16, and the latent, float32, little-endian) with the pixels of the
    picture, `style` (an image file) with a latent. Errors are one line of text.

    Requests that name a host other than this machine, or come from pages of other sites, are
    refused: a browser that shows such a page can reach this machine too.

    Args:
        model: a `PaintingModel`.
        maps: label maps to start with.
        host: the address or name at which it is served. With a loopback address, only this
            machine's loopback names are allowed; otherwise also addresses and this machine's name.

    Returns:
        A `flask.Flask`.

    Raises:
        ImportError: naming the packages to install.
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
                f"This painter is not served under the name {request.host!r}. Open the "
                "address that it printed, or start it with that name: --host.",
            )
        if request.method == "POST":
            origin = request.headers.get("Origin")
            foreign = origin is not None and urlsplit(origin).netloc != request.host
            if foreign or request.mimetype != BYTES:
                flask.abort(403, "Only the painter's own page may request pictures.")

    @app.after_request
    def add_headers(response):
        response.headers.update(HEADERS)
        return response

    @app.errorhandler(Exception)
    def error_response(error):
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
        # The Windows registry may set another type for scripts, which browsers then refuse.
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


def knows_host(named: str, host: str) -> bool:
    """Whether a request with the `Host` header `named` is meant for a server at `host`.

    Other sites can make their own names, but not addresses, resolve to this machine.
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


def libraries() -> tuple[ModuleType, ModuleType]:
    """Imports Flask and waitress, which the extra `paint` installs."""
    try:
        import flask
        import waitress
    except ImportError as error:
        raise ImportError(
            f"The painter needs {error.name}, which cannot be imported here: "
            "pip install 'keras_spade[paint]'"
        ) from None
    return flask, waitress


def make_server(
    model: PaintingModel, maps: Sequence[np.ndarray] = (), host: str = "127.0.0.1", port: int = 8188
) -> tuple[Any, str]:
    """Makes the painter's waitress server; it listens, and answers once it runs.

    Args:
        model: a `PaintingModel`.
        maps: label maps to start with.
        host: the address to listen on. Other than a loopback address, it lets others paint.
        port: 0 for any free port.

    Returns:
        The server, and its address.

    Raises:
        ValueError: for an empty host.
        OSError: if it cannot listen there.
        ImportError: naming the packages to install.
    """
    _, waitress = libraries()
    if not host:
        raise ValueError(
            "`host` must be an address or a name, got ''; 0.0.0.0 means all IPv4 addresses."
        )
    app = make_app(model, maps, host)
    # It warns about every waiting request, and some wait while a picture is painted.
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    shown = f"[{host}]" if ":" in host else host
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listening = socket.create_server((host, port), family=family)
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or error
        raise OSError(
            f"Cannot listen on {shown}:{port}: {reason}; choose another --host or --port."
        ) from error
    server = waitress.create_server(
        app,
        sockets=[listening],
        ident=None,
        max_request_body_size=MAX_BYTES + 1,  # It refuses larger bodies and closes the connection.
        inbuf_overflow=2 * MAX_BYTES,  # Requests and responses stay in memory and never go to disk.
        outbuf_overflow=2 * MAX_BYTES,
    )
    # Wildcard addresses can be listened on, but not opened on every system.
    opened = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, shown)
    return server, f"http://{opened}:{server.effective_port}/"


def serve(
    model: PaintingModel,
    maps: Sequence[np.ndarray] = (),
    host: str = "127.0.0.1",
    port: int = 8188,
    open_browser: bool = True,
) -> None:
    """Serves the painter until it is interrupted.

    Args:
        model: a `PaintingModel`.
        maps: label maps to start with.
        host: as in `make_server`.
        port: as in `make_server`.
        open_browser: whether to open the page.

    Raises:
        OSError: if it cannot listen there.
        ImportError: naming the packages to install.
    """
    server, address = make_server(model, maps, host, port)
    print(f"The painter is at {address} (Ctrl+C ends it).", flush=True)
    if open_browser:
        webbrowser.open(address)
    try:
        server.run()
    finally:
        server.close()
