import contextlib
import importlib.util
from types import SimpleNamespace

import keras
import numpy as np
import pytest
from PIL import Image
from support.tiny_gan import tiny_batch, tiny_gan

from keras_spade import ClassInfo
from keras_spade.callbacks import ImageGrid
from keras_spade.optimizers import BiasCorrectedAdam

LABELS = np.array([[[0, 1], [1, 0]]])
IMAGE = np.full((1, 2, 2, 3), 1.0)
PALETTE = [[10, 10, 10], [20, 20, 20]]


class Painter:
    """Paints every pixel 77, and remembers its arguments."""

    encoder = classes = None
    generator = SimpleNamespace(instance_edges=False)
    painting_averages = contextlib.nullcontext
    writes_files, stop_training = True, False

    def __init__(self):
        self.asked = []

    def generate(self, labels, **arguments):
        self.asked.append(arguments)
        return np.full((*labels.shape, 3), 77, "uint8")


def callback_for(model, epochs, **arguments):
    callback = ImageGrid({"labels": LABELS, "image": IMAGE}, palette=PALETTE, **arguments)
    callback.set_params({"epochs": epochs})
    callback._model = model
    return callback


def test_picture_is_label_generated_real(tmp_path):
    callback = callback_for(Painter(), 5, directory=tmp_path / "new" / "folder", every=2)
    for epoch in range(5):
        callback.on_epoch_end(epoch)
    files = sorted(path.name for path in (tmp_path / "new" / "folder").iterdir())
    assert files == ["epoch_0002.png", "epoch_0004.png", "epoch_0005.png"]
    picture = np.asarray(Image.open(tmp_path / "new" / "folder" / "epoch_0002.png"))
    assert picture.shape == (2, 3 * 2 + 2 * 2, 3)
    assert picture[0, :, 0].tolist() == [10, 20, 255, 255, 77, 77, 255, 255, 255, 255]


class Seen(keras.callbacks.Callback):
    """Paints the label maps at the end of each epoch."""

    def on_epoch_end(self, epoch, logs=None):
        self.painted = self.model.generate(tiny_batch()["labels"], seed=0).astype(int)


@pytest.mark.parametrize("stops_first", [False, True])
def test_the_epoch_after_which_training_stops_has_a_picture(tmp_path, stops_first):
    gan = tiny_gan(generator_optimizer=BiasCorrectedAdam(0.02))  # Epochs differ visibly.
    kernel = gan.generator.get_layer("conv_img").kernel
    kernel.assign(kernel * 50)
    # The first epoch counts as the best, whose weights are restored in the end.
    stop = keras.callbacks.EarlyStopping(
        "generator/adversarial", min_delta=1e9, patience=2, restore_best_weights=True
    )
    seen, grid = Seen(), ImageGrid(tiny_batch(), tmp_path, every=10)
    callbacks = [seen, stop, grid] if stops_first else [seen, grid, stop]
    gan.fit(tiny_batch(), initial_epoch=2, epochs=9, callbacks=callbacks, verbose=0)
    assert [path.name for path in tmp_path.iterdir()] == ["epoch_0005.png"]
    picture = np.asarray(Image.open(tmp_path / "epoch_0005.png"))
    shown = np.stack([picture[top : top + 32, 34:66] for top in (0, 34)])
    assert np.abs(shown - seen.painted).max() <= 1
    assert np.abs(shown - gan.generate(tiny_batch()["labels"], seed=0).astype(int)).max() > 1


def test_a_picture_is_painted_once_and_only_of_an_epoch_of_this_fit(tmp_path):
    callback = callback_for(Painter(), 5, directory=tmp_path, every=2)

    def painted_after(*epochs, ended=True):
        callback.on_train_begin()
        for epoch in epochs:
            callback.on_epoch_end(epoch)
        if ended:
            callback.on_train_end()
        return len(callback.model.asked)

    assert painted_after(0, 1) == 1
    assert painted_after(2, 3, 4) == 3
    assert painted_after(0, ended=False) == painted_after() == 3
    assert painted_after(0) == 4
    names = [f"epoch_000{number}.png" for number in (1, 2, 4, 5)]
    assert sorted(path.name for path in tmp_path.iterdir()) == names


def test_the_model_knows_the_colours(tmp_path):
    callback = callback_for(Painter(), 1, directory=tmp_path)
    callback.palette, callback.model.classes = None, ClassInfo(palette=[(1, 2, 3), (7, 8, 9)])
    picture = callback.write(tmp_path / "picture.png")
    assert picture[0, :2].tolist() == [[1, 2, 3], [7, 8, 9]]


def test_same_seed_every_time_and_style_on_request(tmp_path):
    painter = Painter()
    callback = callback_for(painter, 2, directory=tmp_path, use_style=True, seed=4)
    callback.on_epoch_end(0)
    painter.encoder = SimpleNamespace()
    callback.on_epoch_end(1)
    assert [asked["seed"] for asked in painter.asked] == [4, 4]
    assert painter.asked[0]["style_image"] is None
    assert np.array_equal(painter.asked[1]["style_image"], IMAGE)


def test_maps_and_photographs_are_drawn_at_the_size_of_the_painting(tmp_path):
    class Small(Painter):
        def generate(self, labels, **arguments):
            return super().generate(labels[:, :2, :2])

    labels = np.kron(LABELS, np.ones((3, 5), int))
    batch = {"labels": labels, "image": np.full((1, 6, 10, 3), 255, "uint8")}
    callback = ImageGrid(batch, tmp_path, palette=PALETTE)
    callback._model = Small()
    callback.write(tmp_path / "grid.png")
    picture = np.asarray(Image.open(tmp_path / "grid.png"))
    rows = [[10, 20, 255, 255, 77, 77, 255, 255, 255, 255]]
    assert picture[:1, :, 0].tolist() == rows and picture.shape == (2, 10, 3)


def test_a_failed_write_leaves_the_old_picture(tmp_path, monkeypatch):
    callback = callback_for(Painter(), 1, directory=tmp_path)
    callback.on_epoch_end(0)
    before = (tmp_path / "epoch_0001.png").read_bytes()

    def fail(self, path, format=None):
        with open(path, "wb") as file:
            file.write(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(Image.Image, "save", fail)
    with pytest.raises(OSError, match="disk full"):
        callback.on_epoch_end(0)
    assert (tmp_path / "epoch_0001.png").read_bytes() == before


def test_bad_arguments(tmp_path):
    with pytest.raises(ValueError, match="keys 'labels' .* and 'image'"):
        ImageGrid({"labels": LABELS}, tmp_path)
    with pytest.raises(ValueError, match="`every` must be at least 1"):
        ImageGrid({"labels": LABELS, "image": IMAGE}, tmp_path, every=0)


def test_images_of_other_channels_are_drawn_and_wrong_ones_refused(tmp_path):
    batch = {"labels": LABELS, "image": np.zeros((1, 2, 2, 5), "uint8")}
    batch["image"][..., 4] = 99
    callback = ImageGrid(batch, tmp_path, palette=PALETTE, channels=(4, 4, 0))
    callback._model = Painter()
    callback._model.generate = lambda labels, **_: batch["image"]
    callback.write(tmp_path / "one.png")
    assert np.asarray(Image.open(tmp_path / "one.png"))[0, 4].tolist() == [99, 99, 0]
    with pytest.raises(ValueError, match="`channels` must be one or three of the channels 0..4"):
        ImageGrid(batch, tmp_path, channels=(5,))
    with pytest.raises(ValueError, match="`image` must be floats .* got int16 .*: -1000, 40 "):
        ImageGrid({"labels": LABELS, "image": np.array([[[[-1000, 40]]]], "int16")}, tmp_path)


def test_pictures_reach_tensorboard(tmp_path):
    reason = "TensorBoard is not installed"
    loader = pytest.importorskip(
        "tensorboard.backend.event_processing.event_file_loader", reason=reason
    )
    pytest.importorskip("tensorflow", reason="TensorFlow writes what TensorBoard reads")
    callback = callback_for(Painter(), 2, directory=tmp_path / "a", tensorboard_dir=tmp_path / "b")
    for epoch in range(2):
        callback.on_epoch_end(epoch)
    callback.on_train_end()
    (path,) = (tmp_path / "b").iterdir()
    events = [e for e in loader.EventFileLoader(str(path)).Load() if e.summary.value]
    assert [event.step for event in events] == [0, 1]
    width, height, png = events[1].summary.value[0].tensor.string_val
    assert (events[1].summary.value[0].tag, width, height) == ("pictures", b"10", b"2")
    (tmp_path / "shown.png").write_bytes(png)
    pictures = [
        np.asarray(Image.open(p)) for p in (tmp_path / "shown.png", tmp_path / "a/epoch_0002.png")
    ]
    np.testing.assert_array_equal(*pictures)


def test_a_missing_tensorboard_is_reported_at_once(tmp_path, monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "tensorboard" else find(name)
    )
    with pytest.raises(ImportError, match="pictures for TensorBoard need tensorboard: pip install"):
        callback_for(Painter(), 2, directory=tmp_path, tensorboard_dir=tmp_path)
