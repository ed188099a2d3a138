"""Writing presets: their content, its precision, and files that are never replaced."""

import json

import h5py
import keras
import numpy as np
import pytest
from support.backends import at_once
from support.tiny_gan import tiny_batch, tiny_gan
from support.tiny_generator import TinyGenerator

from keras_spade import ClassInfo, GauGAN, SPADEGenerator


@pytest.fixture(scope="module")
def gan():
    return tiny_gan(latent_dim=None)


def datasets_of(folder):
    """The arrays in the weights file, by path."""
    found = {}
    with h5py.File(folder / "model.weights.h5") as file:
        file.visititems(lambda name, item: found.update({name: item[()]} if item_is(item) else {}))
    return found


def item_is(item):
    return isinstance(item, h5py.Dataset)


def test_files(gan, tmp_path):
    gan.save_to_preset(tmp_path / "runs" / "one")
    files = {path.name for path in (tmp_path / "runs" / "one").iterdir()}
    assert files == {"config.json", "metadata.json", "model.weights.h5"}
    metadata = json.loads((tmp_path / "runs" / "one" / "metadata.json").read_text())
    assert metadata["parameter_count"] == gan.generator.count_params()
    assert metadata["keras_version"] == keras.__version__
    config = json.loads((tmp_path / "runs" / "one" / "config.json").read_text())
    assert config["registered_name"] == "keras_spade>GauGAN"
    assert "compile_config" not in config
    assert [path.name for path in (tmp_path / "runs").iterdir()] == ["one"]


def test_the_discriminator_is_kept_if_asked(gan, tmp_path):
    gan.save_to_preset(tmp_path / "one", discriminator=True)
    read = GauGAN.from_preset(tmp_path / "one")
    for ours, theirs in zip(read.weights, gan.weights, strict=True):
        np.testing.assert_array_equal(*map(keras.ops.convert_to_numpy, (ours, theirs)))


def test_a_new_discriminator_starts_like_the_generator(tmp_path):
    size = {"latent_dim": None, "base_filters": 2, "hidden_filters": 2}
    SPADEGenerator(2, (32, 32, 3), **size, initial_gain=0.5).save_to_preset(tmp_path / "one")
    gan = GauGAN.from_preset(tmp_path / "one")
    assert gan.generator.initial_gain == gan.discriminator.initial_gain == 0.5


def test_kernels_take_16_bits(tmp_path):
    size = {"base_filters": 4, "hidden_filters": 8, "norm": "instance"}
    generator = SPADEGenerator(4, (64, 64, 3), latent_dim=3, **size)
    rng = np.random.default_rng(0)
    for weight in generator.trainable_weights:  # As if it were trained: pictures instead of grey.
        spread = 0.2 if len(weight.shape) == 1 else 1 / np.sqrt(np.prod(weight.shape[:-1]))
        weight.assign(spread * rng.normal(size=weight.shape))
    inputs = {
        "labels": np.kron(rng.integers(0, 4, (4, 8, 8)), np.ones((8, 8), int)),
        "latent": rng.normal(size=(4, 3)).astype("float32"),
    }
    training = at_once(generator, training=True)
    for _ in range(3):  # So that the vectors of spectral norms fit these kernels.
        training(inputs)
    generator.save_to_preset(tmp_path / "half", dtype="float16")
    generator.save_to_preset(tmp_path / "full")
    half, full = datasets_of(tmp_path / "half"), datasets_of(tmp_path / "full")
    assert half.keys() == full.keys()
    for name, array in full.items():
        assert array.dtype == "float32"
        assert half[name].dtype == ("float16" if array.ndim >= 2 else "float32"), name
        if array.ndim < 2:  # Biases, statistics, u and v.
            assert np.array_equal(half[name], array)
    want, got = (
        keras.ops.convert_to_numpy(network(inputs))
        for network in (generator, SPADEGenerator.from_preset(tmp_path / "half"))
    )
    assert want.std() > 0.3
    assert np.abs(want - got).max() * 127.5 < 1


@pytest.mark.parametrize(
    "value, kept",
    [(70000.0, "float32"), (np.inf, "float32"), (1e-9, "float32"), (3.0, "float16")],
)
def test_what_16_bits_cannot_hold_stays(gan, tmp_path, value, kept):
    generator = TinyGenerator(**{**gan.generator.get_config(), "dtype": "float32"})
    kernel = generator.get_layer("conv_img").kernel
    kernel.assign(np.full(kernel.shape, value))
    generator.save_to_preset(tmp_path / "one", dtype="float16")
    array = datasets_of(tmp_path / "one")["layers/conv2d_1/vars/0"]
    assert array.dtype == kept and np.allclose(array, value, rtol=1e-6)
    read = TinyGenerator.from_preset(tmp_path / "one").get_layer("conv_img").kernel
    assert np.allclose(keras.ops.convert_to_numpy(read), value, rtol=1e-6)


def test_averages_are_what_is_painted_with(tmp_path):
    optimizer = keras.optimizers.SGD(0.5, use_ema=True, ema_momentum=0.5)
    gan, batch = tiny_gan(latent_dim=None, generator_optimizer=optimizer), tiny_batch()
    for _ in range(2):
        gan.train_on_batch(batch)
    kernels = {}
    for averaged in ("auto", True, False):
        gan.save_to_preset(tmp_path / "one", averaged=averaged)
        kernels[averaged] = datasets_of(tmp_path / "one")["generator/layers/conv2d_1/vars/0"]
    averages = gan.averaged().generator.get_layer("conv_img").kernel
    assert np.array_equal(kernels["auto"], keras.ops.convert_to_numpy(averages))
    assert np.array_equal(kernels[True], kernels["auto"])
    now = keras.ops.convert_to_numpy(gan.generator.get_layer("conv_img").kernel)
    assert np.array_equal(kernels[False], now) and not np.array_equal(now, kernels[True])
    with pytest.raises(ValueError, match="`averaged` must be True, False or 'auto', got 1.5"):
        gan.save_to_preset(tmp_path / "one", averaged=1.5)


def test_a_preset_is_replaced_and_nothing_else(gan, tmp_path):
    gan.classes = ClassInfo(("a", "b", "c"))
    gan.save_to_preset(tmp_path / "one")
    assert (tmp_path / "one" / "classes.json").exists()
    gan.classes = None
    gan.save_to_preset(tmp_path / "one")
    assert not (tmp_path / "one" / "classes.json").exists()
    (tmp_path / "one" / "photographs").mkdir()
    with pytest.raises(ValueError, match="holds 'photographs', which is not part of a preset"):
        gan.save_to_preset(tmp_path / "one")
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match="is a file"):
        gan.save_to_preset(tmp_path / "file")
    with pytest.raises(ValueError, match="Keras' `save..hf://"):
        gan.save_to_preset("hf://user/one")
    with pytest.raises(ValueError, match="`dtype` must be None or 'float16', got 'int8'"):
        gan.save_to_preset(tmp_path / "two", dtype="int8")


def test_what_was_there_is_whole_if_writing_fails(gan, tmp_path, monkeypatch):
    gan.save_to_preset(tmp_path / "one")
    before = {path.name: path.read_bytes() for path in (tmp_path / "one").iterdir()}

    def full(path, *args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(TinyGenerator, "save_weights", full)
    with pytest.raises(OSError, match="one could not be written, the old folder is unchanged"):
        gan.save_to_preset(tmp_path / "one")
    assert {path.name: path.read_bytes() for path in (tmp_path / "one").iterdir()} == before
    assert [path.name for path in tmp_path.iterdir()] == ["one"]
