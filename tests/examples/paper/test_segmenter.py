import contextlib
import json
import types

import keras
import numpy as np
import pytest
from absl.testing import flagsaver

from examples.paper import options
from examples.paper import segmenter as script
from examples.paper.options import FLAGS
from examples.paper.segmenter import make_segmenter
from keras_spade import files


def test_scores_of_bytes_and_floats():
    segmenter = make_segmenter((16, 32, 3), 5, filters=2)
    images = np.random.default_rng(0).integers(0, 256, (2, 16, 32, 3)).astype("uint8")
    scores = np.array(segmenter(images))
    assert scores.shape == (2, 16, 32, 5)
    np.testing.assert_array_equal(np.array(segmenter(images.astype("float32"))), scores)
    assert segmenter.get_layer("lowest").output.shape == (None, 1, 2, 32)
    # Two convolutions per size, and two numbers for each channel of their norms.
    widths, count = [2, 4, 8, 16, 32], 2 * 5 + 5
    for i, width in enumerate(widths):
        down = 9 * (widths[i - 1] if i else 3) * width + 9 * width**2 + 4 * width
        up = 9 * (width + 2 * width) * width + 9 * width**2 + 4 * width
        count += down + (up if width < 32 else 0)
    assert sum(int(np.prod(w.shape)) for w in segmenter.trainable_weights) == count


@pytest.mark.slow
def test_it_learns_which_colour_is_which_class():
    keras.utils.set_random_seed(0)
    labels = np.kron(np.random.default_rng(0).integers(0, 2, (8, 2, 2)), np.ones((8, 8), int))
    images = (labels[..., None] * np.array([200, 20, 90])).astype("uint8")
    segmenter = make_segmenter((16, 16, 3), 2, filters=2)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=2)
    segmenter.compile(keras.optimizers.Adam(0.03), loss)
    void = labels.copy()
    void[:, :4] = 2  # Void is ignored in training, and is never predicted.
    segmenter.fit(images.astype("float32"), void, batch_size=8, epochs=80, verbose=0)
    scores = np.array(segmenter(images))
    assert scores.shape == (8, 16, 16, 2)
    assert np.mean(scores.argmax(-1) == labels) > 0.95


def test_sizes_that_cannot_be_halved_are_refused():
    with pytest.raises(ValueError, match="--image_size=40,64: the segmenter halves it 4 times"):
        make_segmenter((40, 64, 3), 2)


def test_the_command_refuses_sizes_before_it_loads_data(tmp_path, monkeypatch):
    monkeypatch.setattr(script.Samples, "load", None)
    with flagsaver.flagsaver():
        FLAGS(["segmenter", "--image_size=64,60", f"--run_dir={tmp_path / 'run'}"])
        with pytest.raises(ValueError, match="--image_size=64,60: .* must be divisible by 16"):
            script.main([])
    assert not (tmp_path / "run").exists()


def load_or_train(run_dir, *flags):
    with flagsaver.flagsaver():
        FLAGS(["segmenter", "--quick", *flags])
        options.apply_quick()
        return script.load_or_train(None, run_dir, options.data_settings())


@pytest.fixture
def trainings(monkeypatch):
    """Replaces the training by a model of a random weight; a list of those weights."""
    weights = []

    def train_segmenter(samples):
        model = keras.Sequential([keras.Input((4, 4, 3)), keras.layers.Conv2D(1, 1)])
        weights.append(model.get_weights()[0])
        return model

    monkeypatch.setattr(script, "train_segmenter", train_segmenter)
    return weights


def test_a_segmenter_of_the_same_settings_is_loaded(tmp_path, trainings):
    load_or_train(tmp_path)
    assert json.loads((tmp_path / "segmenter.json").read_text())["segmenter_minutes"] == 10
    # Of the generators' trainings.
    again = load_or_train(tmp_path, "--minutes=3", "--base_filters=5", "--seeds=1,2")
    assert len(trainings) == 1
    np.testing.assert_array_equal(again.get_weights()[0], trainings[0])


@pytest.mark.parametrize(
    "flags, difference",
    [
        (["--segmenter_minutes=3"], "--segmenter_minutes=10.0 before, 3.0 now"),
        (["--seed=1"], "--seed=0 before, 1 now"),
        (["--noquick", "--steps=2"], "--quick=True before, False now"),
        (["--num_scenes=9"], "--num_scenes=4 before, 9 now"),
    ],
)
def test_a_segmenter_of_other_settings_is_refused(tmp_path, trainings, flags, difference):
    load_or_train(tmp_path)
    with pytest.raises(ValueError, match=r"segmenter.keras was trained with other settings") as e:
        load_or_train(tmp_path, *flags)
    assert difference in str(e.value)
    assert str(e.value).endswith(". Choose another --run_dir, or delete the file.")


def test_a_segmenter_without_settings_is_refused(tmp_path, trainings):
    load_or_train(tmp_path)
    (tmp_path / "segmenter.json").unlink()
    message = r"segmenter.keras: there is no segmenter.json with its settings. Choose another"
    with pytest.raises(ValueError, match=message):
        load_or_train(tmp_path)


@pytest.mark.parametrize("name", ["segmenter.json", "segmenter.keras"])
def test_an_interruption_leaves_no_segmenter(tmp_path, trainings, monkeypatch, name):
    @contextlib.contextmanager
    def killed(path):
        if path.name == name:
            raise KeyboardInterrupt
        with files.replacing(path) as partial:
            yield partial

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(script, "files", types.SimpleNamespace(replacing=killed))
        load_or_train(tmp_path)
    again = load_or_train(tmp_path, "--seed=1")
    np.testing.assert_array_equal(again.get_weights()[0], trainings[1])
    load_or_train(tmp_path, "--seed=1")
    assert len(trainings) == 2
