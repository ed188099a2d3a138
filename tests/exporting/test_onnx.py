import numpy as np
import pytest
from support.backends import only_on
from support.exports import assert_same, export_both, make_generator, make_inputs, painted

onnxruntime = pytest.importorskip(
    "onnxruntime", reason="onnxruntime, which runs ONNX files, is not installed"
)
pytest.importorskip("tf2onnx", reason="tf2onnx, which writes ONNX files, is not installed")
pytestmark = [
    only_on("tensorflow", "it writes the files"),
    # From TensorFlow and tf2onnx.
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning"),
]


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    """A generator with all possible inputs, and the session of its ONNX file."""
    generator = make_generator(latent_dim=3, instance_edges=True, void_class=True)
    path = tmp_path_factory.mktemp("onnx") / "street.onnx"
    export_both(generator, path, format="onnx")
    assert [file.name for file in path.parent.iterdir()] == ["street.onnx"]
    return generator, onnxruntime.InferenceSession(path)


@pytest.mark.slow
@pytest.mark.parametrize(("batch", "size"), [(1, (32, 32)), (3, (50, 37))])
def test_any_batch_and_any_size(case, batch, size):
    generator, session = case
    inputs = make_inputs(generator, batch, size)
    image, floats = session.run(["image", "floats"], inputs)
    assert_same(image, inputs, generator)
    np.testing.assert_allclose(floats, painted(generator, inputs)[0], atol=1e-4)


def test_inputs_and_output_by_name(case):
    _, session = case
    shape = ["batch", "height", "width"]
    assert {x.name: (x.type, x.shape) for x in session.get_inputs()} == {
        "labels": ("tensor(int32)", shape),
        "edges": ("tensor(float)", shape),
        "latent": ("tensor(float)", ["batch", 3]),
    }
    image = next(x for x in session.get_outputs() if x.name == "image")
    assert (image.type, image.shape) == ("tensor(uint8)", ["batch", 32, 32, 3])


def test_ids_that_are_no_class_are_none(case):
    generator, session = case
    inputs = make_inputs(generator)
    for row, outside in enumerate((-1, -5, 5, 255)):
        inputs["labels"][:, 4 * row : 4 * row + 4] = outside
    assert_same(session.run(["image"], inputs)[0], inputs, generator)


@pytest.mark.parametrize("missing", ["tf2onnx", "onnx"])
def test_what_is_to_be_installed(case, tmp_path, monkeypatch, missing):
    generator, _ = case
    monkeypatch.setattr("importlib.util.find_spec", lambda name: name != missing or None)
    with pytest.raises(ImportError, match=rf"needs {missing}, .*: pip install .*tf2onnx"):
        generator.export(tmp_path / "a.onnx", format="onnx")
    assert not list(tmp_path.iterdir())


def test_what_cannot_be_converted_leaves_no_file(case, tmp_path, monkeypatch):
    generator, _ = case
    (tmp_path / "a.onnx").write_text("old")
    monkeypatch.setattr("tf2onnx.convert.from_function", lambda *args, **kwargs: 1 / 0)
    with pytest.raises(RuntimeError, match="'generator' could not be converted to onnx: division"):
        generator.export(tmp_path / "a.onnx", format="onnx")
    assert [file.name for file in tmp_path.iterdir()] == ["a.onnx"]
    assert (tmp_path / "a.onnx").read_text() == "old"
