import keras
import numpy as np
import pytest
from absl.testing import flagsaver

from examples.paper import segmenter as script
from examples.paper.options import FLAGS
from examples.paper.segmenter import make_segmenter


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
