import numpy as np
import pytest
from support.painting import SIZE, huge_png, painting_model, png

from keras_spade.painting.server import knows_host, make_app, make_server

flask = pytest.importorskip("flask", reason="Flask, which serves the painter, is not installed")
BYTES = "application/octet-stream"


@pytest.fixture(scope="module")
def model():
    return painting_model()


@pytest.fixture(scope="module")
def client(model):
    return make_app(model, [np.zeros(SIZE, int)]).test_client()


def post(client, path, body, **headers):
    headers = {"Host": "127.0.0.1:8188", "Content-Type": BYTES} | headers
    return client.post(path, data=body, headers=headers)


def request_of(labels, latent):
    return np.asarray(labels, "<u2").tobytes() + np.asarray(latent, "<f4").tobytes()


def assert_lives(client, model):
    labels = np.random.default_rng(0).integers(0, 4, SIZE)
    response = post(client, "/paint", request_of(labels, [1, 2]))
    assert response.status_code == 200
    picture = np.frombuffer(response.data, "uint8").reshape(*SIZE, 3)
    np.testing.assert_array_equal(picture, model.paint(labels, [1, 2]))


def test_pictures_are_the_models(client, model):
    assert_lives(client, model)


def test_the_style_of_a_photograph(client, model):
    photograph = png(np.random.default_rng(0).integers(0, 256, (90, 60, 3), "uint8"))
    response = post(client, "/style", photograph)
    np.testing.assert_array_equal(np.frombuffer(response.data, "<f4"), model.style_of(photograph))


GOOD = request_of(np.zeros(SIZE), [0, 0])


@pytest.mark.parametrize(
    ("path", "body", "code", "message"),
    [
        ("/paint", b"", 400, "are 12296 bytes, got 0"),
        ("/paint", GOOD + b"0", 400, "are 12296 bytes, got 12297"),
        ("/paint", request_of(np.full(SIZE, 4), [0, 0]), 400, "`labels` must hold ids 0..3"),
        ("/paint", request_of(np.full(SIZE, 65535), [0, 0]), 400, "`labels` must hold ids 0..3"),
        ("/paint", request_of(np.zeros(SIZE), [0, np.inf]), 400, "`latent` must be 2 finite"),
        ("/style", b"no image", 400, "cannot be read as an image"),
        ("/style", huge_png(), 400, "pixels"),
        ("/style", b"0" * (2**25 + 1), 413, "exceeds the capacity limit"),
        ("/save", b"", 405, "not allowed"),
    ],
)
def test_hostile_bodies_are_answered_and_the_server_lives(client, model, path, body, code, message):
    response = post(client, path, body)
    assert response.status_code == code and message in response.text
    assert response.mimetype == "text/plain"
    assert_lives(client, model)


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "127.0.0.1.evil.example"},
        {"Host": "192.168.0.7"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:9"},
        {"Content-Type": "text/plain"},
        {"Content-Type": "multipart/form-data; boundary=x"},
    ],
)
def test_other_sites_are_refused(client, headers):
    assert post(client, "/paint", GOOD, **headers).status_code == 403
    assert post(client, "/paint", GOOD, Origin="http://127.0.0.1:8188").status_code == 200


def test_requests_by_another_host_name_are_answered_with_advice(client):
    response = client.get("/", headers={"Host": "desk.lan:8188"})
    assert response.status_code == 403 and response.mimetype == "text/plain"
    assert "not served under the name 'desk.lan:8188'" in response.text
    assert "--host" in response.text


@pytest.mark.parametrize(
    ("named", "host", "known"),
    [
        ("localhost:80", "127.0.0.1", True),
        ("[::1]:80", "127.0.0.1", True),
        ("[::1]:80", "localhost", True),
        ("10.0.0.7:80", "127.0.0.1", False),
        ("10.0.0.7:80", "localhost", False),
        ("10.0.0.7:80", "0.0.0.0", True),
        ("evil.example", "0.0.0.0", False),
        ("painter.example:80", "painter.example", True),
        ("painter.example", "Painter.Example", True),
        ("", "127.0.0.1", False),
    ],
)
def test_names_of_this_machine(named, host, known):
    assert knows_host(named, host) is known


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/", "text/html"),
        ("/paint.js", "text/javascript"),
        ("/paint.css", "text/css"),
        ("/model.json", "application/json"),
        ("/maps/01.png", "image/png"),
        ("/latents.bin", BYTES),
    ],
)
def test_files_of_the_page(client, path, kind):
    response = client.get(path, headers={"Host": "localhost:8188"})
    assert response.status_code == 200 and response.mimetype == kind and response.data
    assert "default-src 'self'" in response.headers["Content-Security-Policy"]
    assert response.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("path", ["/../setup.cfg", "/%2e%2e/server.py", "/etc/passwd", "/maps/"])
def test_no_other_files(client, path):
    assert client.get(path).status_code == 404


def test_all_addresses_of_a_machine_are_opened_at_one(model):
    server, address = make_server(model, host="0.0.0.0", port=0)
    server.close()
    assert address == f"http://127.0.0.1:{server.effective_port}/"
    with pytest.raises(ValueError, match="`host` must be an address or a name, got ''"):
        make_server(model, host="", port=0)


def test_a_port_that_is_taken(model):
    server, address = make_server(model, port=0)
    try:
        port = int(address.rstrip("/").rpartition(":")[2])
        with pytest.raises(OSError, match=f"127.0.0.1:{port}: .*; choose another --host or --port"):
            make_server(model, port=port)
    finally:
        server.close()
