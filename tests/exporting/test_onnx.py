from pathlib import Path

import numpy as np
import pytest
from support.backends import only_on
from support.exports import assert_same, export_both, make_generator, make_inputs, painted

import keras_spade

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


def test_the_converter_sees_no_kernels(case, tmp_path, monkeypatch):
    """It copies constants dozens of times."""
    seen = []

    def from_function(function, signature, **options):
        seen.extend(function.get_concrete_function(*signature).variables)
        raise ArithmeticError("seen")

    monkeypatch.setattr("tf2onnx.convert.from_function", from_function)
    with pytest.raises(RuntimeError, match="converted to onnx: seen"):
        case[0].export(tmp_path / "a.onnx", format="onnx")
    assert {len(variable.shape) for variable in seen} == {1}


FACADES = Path(__file__).resolve().parents[3] / "shared" / "data" / "cmp_facades"


@pytest.mark.slow
@pytest.mark.skipif(not FACADES.is_dir(), reason="shared/data/cmp_facades is not here")
def test_real_facades_from_the_inspection_to_the_painting_file(tmp_path):
    """The walk of a new user, with the call that `inspect_dataset` proposes."""
    report = keras_spade.datasets.inspect_dataset(FACADES, verbose=0)
    # 300 photographs, ids 1 to 12.
    assert (report.samples, set(report.pixels)) == (300, set(range(1, 13)))
    assert "resize='scale_short_side',\n    load_size=286,\n" in report.call
    small = report.call.replace("286", "36, image_size=(32, 32), batch_size=4")
    data = eval(small, {"keras_spade": keras_spade})
    batch = next(data.as_numpy_iterator())
    assert 0 <= batch["labels"].min() and batch["labels"].max() < 12
    sizes = {"num_classes": 12, "image_shape": (32, 32, 3)}
    gan = keras_spade.GauGAN(
        keras_spade.SPADEGenerator(**sizes, base_filters=2, hidden_filters=4, latent_dim=None),
        keras_spade.MultiScaleDiscriminator(**sizes, base_filters=2),
    )
    gan.compile(perceptual_loss=None)
    history = gan.fit(data, epochs=3, steps_per_epoch=2, verbose=0).history
    assert np.isfinite(list(history.values())).all()
    assert len(history["generator/adversarial"]) == 3
    kernel = gan.generator.get_layer("conv_img").kernel
    kernel.assign(kernel * 50)  # After few steps, pictures are nearly grey.
    gan.export(tmp_path / "facades.onnx", format="onnx", verbose=False)
    session = onnxruntime.InferenceSession(tmp_path / "facades.onnx")
    (image,) = session.run(["image"], {"labels": batch["labels"].astype("int32")})
    assert np.abs(image.astype(int) - gan.generate(batch["labels"])).max() <= 1
    assert image.std() > 5
