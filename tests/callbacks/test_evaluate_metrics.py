"""Metrics in the logs of an epoch: their inputs, their schedule, and how Keras uses them."""

import csv
import math

import keras
import numpy as np
import pytest
from PIL import Image
from support.backends import swaps_averages
from support.tiny_gan import SHAPE, tiny_batch, tiny_gan
from support.tiny_metrics import Brightness, Scripted, Spread

from keras_spade.callbacks import BackupAndRestore, EvaluateMetrics
from keras_spade.datasets import by_epoch, paired_folders, synthetic_scenes
from keras_spade.metrics import FrechetDistance
from keras_spade.optimizers import BiasCorrectedAdam

BATCH = tiny_batch(2)
UNSEEN = tiny_batch(3, seed=1)


@pytest.fixture(scope="module")
def gan():
    """A GAN whose averages are far from its weights."""
    averaging = BiasCorrectedAdam(5e-2, use_ema=True, ema_momentum=0.9)
    return tiny_gan(generator_optimizer=averaging, run_eagerly=False)


def fit(gan, *callbacks, epochs, **arguments):
    return gan.fit(BATCH, callbacks=list(callbacks), epochs=epochs, verbose=0, **arguments).history


@swaps_averages
def test_values_stand_in_the_logs_and_are_repeated_between_evaluations(gan, tmp_path):
    distance, nan = Scripted([5, 3, 4, 1]), float("nan")
    iou = Scripted([0.25, 0.5, nan, 0.125], "iou", better="up")
    bad = Scripted([nan, 7, 8, nan], "bad")
    evaluate = EvaluateMetrics(UNSEEN, [distance, iou, bad], every=2)
    best = keras.callbacks.ModelCheckpoint(
        tmp_path / "best_{epoch}.weights.h5",
        "val_distance",
        save_best_only=True,
        save_weights_only=True,
    )
    stop = keras.callbacks.EarlyStopping("val_iou", patience=4)
    slower = keras.callbacks.ReduceLROnPlateau("val_bad", patience=9)
    table = keras.callbacks.CSVLogger(tmp_path / "table.csv")
    swap = keras.callbacks.SwapEMAWeights(swap_on_epoch=True)
    history = fit(gan, evaluate, swap, best, stop, slower, table, epochs=5)
    # After the first epoch, before which no value is known, the second, the fourth and the last.
    assert history["val_distance"] == [5, 3, 3, 4, 1]
    rows = list(csv.DictReader((tmp_path / "table.csv").read_text().splitlines()))
    assert [float(row["val_distance"]) for row in rows] == [5, 3, 3, 4, 1]
    # NaN counts as the worst value.
    assert history["val_iou"] == [0.25, 0.5, 0.5, -math.inf, 0.125]
    assert history["val_bad"] == [math.inf, 7, 7, 8, math.inf]
    # A repeated value is not an improvement, and counts towards the patience.
    names = [f"best_{epoch}.weights.h5" for epoch in (1, 2, 5)]
    assert sorted(path.name for path in tmp_path.glob("best_*")) == names
    assert (best.best, stop.best, stop.best_epoch, stop.wait, slower.best) == (1, 0.5, 1, 3, 7)


def test_metrics_see_uint8_paintings_of_the_averages(gan):
    fit(gan, epochs=5)
    distance, brightness = Scripted([1]), Brightness()
    weights = [keras.ops.convert_to_numpy(v) for v in gan.generator.weights]
    weights = [np.array(weight) for weight in weights]
    results = EvaluateMetrics(UNSEEN, [distance, brightness], batch_size=2, seed=5).evaluate(gan)
    for before, after in zip(weights, gan.generator.weights, strict=True):
        np.testing.assert_array_equal(before, keras.ops.convert_to_numpy(after))
    averaged = gan.averaged()
    labels, image = UNSEEN["labels"], UNSEEN["image"]
    # Two batches, of two samples and of one, each with different latents.
    first, second = averaged.generate(labels[:2], seed=5), averaged.generate(labels[2:], seed=5 + 4)
    assert np.abs(first.astype(int) - gan.generate(labels[:2], seed=5)).max() > 10
    (real, fake), (_, last) = distance.seen
    assert fake.dtype == real.dtype == np.uint8
    assert max(np.abs(fake.astype(int) - first).max(), np.abs(last.astype(int) - second).max()) <= 1
    np.testing.assert_array_equal(real, np.round((image[:2] + 1) * 127.5).astype("uint8"))
    painted = np.concatenate([fake, last])
    assert results["of_one"] == painted[labels == 1].mean()
    assert list(results) == ["distance", "of_zero", "of_one"]


def test_keys_that_two_dicts_share_are_logged_with_the_metrics_names(gan):
    metrics = [Brightness("first"), Brightness("second"), Scripted([1])]
    evaluate = EvaluateMetrics(UNSEEN, metrics, directions={"second_of_one": "min"}, steps=1)
    names = [f"{metric}_{key}" for metric in ("first", "second") for key in ("of_zero", "of_one")]
    modes = dict(zip(names, ("max", "max", "max", "min"), strict=True)) | {"distance": "min"}
    assert evaluate.directions == {f"val_{name}": mode for name, mode in modes.items()}
    assert list(evaluate.evaluate(gan)) == [*names, "distance"]
    # A number keeps its name; duplicate names are refused.
    evaluate = EvaluateMetrics(UNSEEN, [Brightness("first"), Scripted([1], "of_one")])
    assert list(evaluate.directions) == ["val_first_of_zero", "val_first_of_one", "val_of_one"]
    with pytest.raises(ValueError, match="two of them log 'val_brightness_of_zero'; give one of"):
        EvaluateMetrics(UNSEEN, [Brightness(), Brightness()])


def test_paintings_of_several_latents_are_what_a_metric_of_images_alone_sees(gan):
    spread = Spread()
    results = EvaluateMetrics(UNSEEN, spread, latents=3, steps=1, batch_size=2).evaluate(gan)
    (images,) = spread.seen
    assert images.shape == (2, 3, *SHAPE) and results["spread"] == np.ptp(images, axis=1).max() > 0


@pytest.mark.parametrize(
    "form",
    [
        lambda batch: (batch["labels"], batch["image"]),
        lambda batch: [{k: v[:2] for k, v in batch.items()}, {k: v[2:] for k, v in batch.items()}],
        lambda batch: {**batch, "image": np.round((batch["image"] + 1) * 127.5).astype("uint8")},
        lambda batch: {
            k: np.kron(v, np.ones((1, 2, 2) + (1,) * (v.ndim - 3), v.dtype))
            for k, v in batch.items()
        },
    ],
    ids=["tuple", "batches", "uint8", "of twice the size"],
)
def test_data_of_other_forms_give_the_same(gan, form):
    def seen(data):
        metric = Scripted([1])
        EvaluateMetrics(data, metric, batch_size=2).evaluate(gan)
        return [np.concatenate(arrays).astype(int) for arrays in zip(*metric.seen, strict=True)]

    grey = np.array([-0.9, 0.1, 0.6], "float32")[:, None, None, None]
    batch = {**UNSEEN, "image": np.broadcast_to(grey, UNSEEN["image"].shape)}
    for got, want in zip(seen(form(batch)), seen(batch), strict=True):
        assert np.abs(got - want).max() <= 1


@pytest.mark.slow_on("tensorflow")
def test_a_resumed_training_knows_what_was_the_best(tmp_path):
    def run(epochs, numbers, **arguments):
        keras.utils.set_random_seed(0)
        evaluate = EvaluateMetrics(UNSEEN, Scripted(numbers), every=2)
        best = keras.callbacks.ModelCheckpoint(
            tmp_path / "best_{epoch}.weights.h5",
            "val_distance",
            save_best_only=True,
            save_weights_only=True,
        )
        stop = keras.callbacks.EarlyStopping("val_distance", patience=4)
        slower = keras.callbacks.ReduceLROnPlateau("val_distance", patience=9)
        backup = BackupAndRestore(tmp_path / "backup")
        gan = tiny_gan()
        callbacks = [backup, evaluate, best, stop, slower]
        return fit(gan, *callbacks, epochs=epochs), best, stop, slower

    run(3, [5, 3, 4])  # 5, 3, and the last, 4.
    history, best, stop, slower = run(5, [3.5, 6])
    # The fourth epoch is evaluated as the second of two, and the fifth as the last.
    assert history["val_distance"] == [5, 3, 4, 3.5, 6]
    assert (best.best, stop.best, stop.best_epoch, stop.wait) == (3, 3, 1, 3)
    assert (slower.best, slower.wait) == (3, 3)
    assert sorted(p.name for p in tmp_path.glob("best_*")) == [
        "best_1.weights.h5",
        "best_2.weights.h5",
    ]
    # One more epoch without improvement, and it stops; a second `fit` ends at once.
    assert len(run(9, [7])[0]["val_distance"]) == 6
    assert len(run(9, [])[0]["val_distance"]) == 6


def test_bad_arguments(gan):
    class Strange(Scripted):
        def update_state(self, depth):
            pass

    two = [Scripted([1]), Scripted([2])]
    for arguments, message in (
        (
            {"metrics": Strange([1])},
            r"Strange.update_state\(depth\): its arguments must be some of",
        ),
        ({"metrics": two}, "two of them log 'val_distance'"),
        ({"metrics": two[0], "every": 0}, "`every` must be at least 1"),
        ({"metrics": Spread(), "latents": 1}, "`latents` must be at least 2, got 1"),
        ({"metrics": two[0], "directions": {"distance": "up"}}, '`directions` must be "min" or'),
        ({"metrics": two[0], "directions": {"other": "min"}}, "some of distance, got 'min' for"),
    ):
        with pytest.raises(ValueError, match=message):
            EvaluateMetrics(UNSEEN, **arguments)
    with pytest.raises(ValueError, match="`data` can be iterated only once"):
        EvaluateMetrics(iter([UNSEEN]), two[0])
    weighted = (UNSEEN["labels"], UNSEEN["image"], np.ones(3))
    with pytest.raises(ValueError, match=r"`data` holds \(x, y, sample_weight\), but all samples"):
        EvaluateMetrics(weighted, two[0])
    for data, message in (
        ({"labels": UNSEEN["labels"]}, "Scripted needs 'image'; a batch has"),
        ([{"image": UNSEEN["image"]}], "a batch lacks 'labels'"),
        ([], "`data` is empty"),
        ([weighted], "Omit the weights"),
        ({**UNSEEN, "image": UNSEEN["image"] * 127}, r"`image` must be floats in \[-1, 1\]"),
    ):
        with pytest.raises(ValueError, match=message):
            EvaluateMetrics(data, Scripted([1])).evaluate(gan)


def test_a_dataset_gives_its_first_epoch_and_must_end(gan):
    tf = pytest.importorskip("tensorflow", reason="tf.data is TensorFlow's")
    whole = tf.data.Dataset.from_tensor_slices(UNSEEN)

    def for_epoch(epoch, first_batch):
        return whole.skip(epoch).batch(2).skip(first_batch)  # Fewer in each epoch.

    metric = Scripted([1, 2])
    evaluate = EvaluateMetrics(by_epoch(for_epoch, 2), metric)
    for _ in range(2):
        evaluate.evaluate(gan)
        assert [len(real) for real, _ in metric.seen] == [2, 1]
    with pytest.raises(ValueError, match="`data` is infinite; pass `steps`"):
        EvaluateMetrics(whole.batch(2).repeat(), metric)


def test_the_protocol_says_what_the_numbers_depend_on(gan):
    def colours(images):
        return np.mean(images, axis=(1, 2), dtype="float32")

    data = synthetic_scenes(5, SHAPE[:2], batch_size=2, style="varied", drop_remainder=False)
    data_of = {"data": "synthetic_scenes, style varied, first_scene 0"}
    metrics = [FrechetDistance(colours), Spread()]
    evaluate = EvaluateMetrics(data, metrics, seed=5, latents=3, steps=1)
    shared = {"size": "32 x 32 x 3", "void": "none", "latent": "standard normal, seed 5"}
    shared |= {"weights": "averages", "resampling": "drawn at this size", **data_of}
    wanted = {
        "val_frechet_distance": {
            "metric": "FrechetDistance",
            "features": "colours",
            "is_not": "the FID of the literature, unless the features are those of its "
            "Inception-v3",
            "real": "the photographs of the label maps",
            **shared,
        },
        "val_spread": {"metric": "Spread", "pictures_of_each_map": "3", **shared},
    }
    assert evaluate.protocol(gan) == wanted
    # Arrays do not say where they come from; the number of samples is known once painted.
    evaluate = EvaluateMetrics(UNSEEN, metrics[0], seed=5, batch_size=2)
    evaluate.evaluate(gan)
    of_files = ("data", "resampling")
    row = {k: v for k, v in wanted["val_frechet_distance"].items() if k not in of_files}
    assert evaluate.protocol(gan) == {"val_frechet_distance": {**row, "samples": "3"}}
    other = tiny_gan(latent_dim=None)
    row = EvaluateMetrics(UNSEEN, Scripted([1])).protocol(other)["val_distance"]
    assert (row["latent"], row["weights"]) == ("none", "the model's own")


def test_a_protocol_of_your_own_is_a_method_that_returns_strings(gan):
    metric = Scripted([1])
    metric.protocol = "PASCAL"  # Another attribute of that name.
    row = EvaluateMetrics(UNSEEN, metric).protocol(gan)["val_distance"]
    assert "PASCAL" not in row.values()
    metric.protocol = lambda: {"classes": "three"}
    assert EvaluateMetrics(UNSEEN, metric).protocol(gan)["val_distance"]["classes"] == "three"
    metric.protocol = lambda: {"classes": 3}
    with pytest.raises(ValueError, match=r"Scripted.protocol\(\) must return a dict of strings"):
        EvaluateMetrics(UNSEEN, metric)


def test_the_protocol_names_the_files_held_out_and_their_resizing(gan, tmp_path):
    for folder, array in (("images", UNSEEN["image"]), ("labels", UNSEEN["labels"])):
        (tmp_path / folder).mkdir()
        array = array if folder == "labels" else np.round((array + 1) * 127.5)
        for i, picture in enumerate(array.astype("uint8")):
            Image.fromarray(picture).save(tmp_path / folder / f"{i}.png")
    options = {"load_size": (36, 40), "validation_split": 0.5, "subset": "validation"}
    data = paired_folders(tmp_path, 3, SHAPE[:2], crop="center", **options)
    row = EvaluateMetrics(data, Scripted([1])).protocol(gan)["val_distance"]
    assert row["data"] == "paired_folders, subset validation, validation_split 0.5"
    assert row["resampling"] == (
        "photographs resized bicubically, label maps by nearest neighbours (stretch, load_size "
        "36 x 40, center crop)"
    )


def test_metrics_of_latents_want_a_latent():
    gan, evaluate = tiny_gan(latent_dim=None), EvaluateMetrics(UNSEEN, [Scripted([1]), Spread()])
    message = "`metrics`: Spread compares .*; the generator has no latent"
    with pytest.raises(ValueError, match=message):
        evaluate.evaluate(gan)
    with pytest.raises(ValueError, match=message):
        fit(gan, evaluate, epochs=1)
    assert int(gan.generator_optimizer.iterations) == 0
