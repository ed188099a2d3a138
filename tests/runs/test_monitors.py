import json

import keras
import numpy as np
import pytest
from support.backends import swaps_averages
from support.tiny_gan import tiny_batch, tiny_gan
from support.tiny_metrics import Brightness, Scripted

from keras_spade.callbacks import EvaluateMetrics, RunPage
from keras_spade.optimizers import BiasCorrectedAdam

BATCH = tiny_batch(2)
callbacks = keras.callbacks
LOSSES = ["generator/adversarial", "generator/feature_matching"]


class Epochs(callbacks.Callback):
    """Counts epochs, and can log a number."""

    def __init__(self, **logs):
        super().__init__()
        self.count, self.numbers = 0, logs

    def on_epoch_end(self, epoch, logs=None):
        self.count += 1
        logs.update({name: values[epoch] for name, values in self.numbers.items()})


@pytest.fixture(scope="module")
def gan():
    return tiny_gan(run_eagerly=False)


def fit(gan, *others, epochs=1, **arguments):
    arguments = {"validation_data": BATCH, **arguments}
    gan.fit(BATCH, callbacks=list(others), epochs=epochs, verbose=0, **arguments)


@pytest.mark.parametrize(
    "callback, message",
    [
        (callbacks.EarlyStopping(), "EarlyStopping waits for 'val_loss', which is not a loss"),
        (callbacks.EarlyStopping("loss", mode="min"), "'loss', which is not a loss of the model"),
        (callbacks.ReduceLROnPlateau(), "ReduceLROnPlateau waits for 'val_loss'"),
        (callbacks.ModelCheckpoint("a.keras", save_best_only=True), "ModelCheckpoint .*'val_loss'"),
        (callbacks.ModelCheckpoint("{val_loss:.2f}.keras"), "ModelCheckpoint .*'val_loss'"),
        (callbacks.EarlyStopping("generator/feature_maching", mode="min"), "feature_maching"),
        (callbacks.EarlyStopping("val_feature_matching", mode="min"), "'val_feature_matching'"),
        (
            callbacks.EarlyStopping("generator/kl"),
            "'generator/kl', which is not a loss of the model",
        ),
        (
            callbacks.ModelCheckpoint(
                "a.keras", "val_generator/adversarial", save_best_only=True, save_freq=1
            ),
            "is only logged with `validation_data`",
        ),
        (callbacks.TerminateOnNaN(), r"`compile\(max_skipped_steps=...\)`"),
        (callbacks.ModelCheckpoint("model.h5"), "save_weights_only=True"),
    ],
)
def test_names_that_no_epoch_has_are_refused_before_the_first(gan, callback, message):
    epochs = Epochs()
    with pytest.raises(ValueError, match=message) as caught:
        fit(gan, epochs, callback)
    assert epochs.count == 0
    if "waits for" in message and "TerminateOnNaN" not in message:
        assert "'val_generator/feature_matching'" in str(caught.value)


@pytest.mark.slow_on("tensorflow")
def test_what_is_validated_is_monitored_with_validation_only(gan):
    for arguments in ({}, {"validation_split": 0.5}):
        stop = callbacks.EarlyStopping("val_generator/adversarial")
        if arguments:
            fit(gan, stop, validation_data=None, **arguments)
            continue
        with pytest.raises(ValueError, match="with `validation_data` or") as caught:
            fit(gan, stop, validation_data=None)
        assert "'val_" not in str(caught.value).partition("Use one of")[2]


def test_less_of_a_loss_is_better_without_a_mode(gan, tmp_path):
    stop = callbacks.EarlyStopping("val_generator/feature_matching", restore_best_weights=True)
    best = callbacks.ModelCheckpoint(
        tmp_path / "best.weights.h5",
        "val_generator/feature_matching",
        save_best_only=True,
        save_weights_only=True,
    )
    slower = callbacks.ReduceLROnPlateau("discriminator/fake")
    fit(gan, stop, best, slower, callbacks.ModelCheckpoint(tmp_path / "last.keras"), epochs=2)
    values = gan.history.history["val_generator/feature_matching"]
    assert stop.best == best.best == min(values)
    for callback in (stop, best, slower):
        assert callback._is_improvement(1.0, 2.0) and not callback._is_improvement(2.0, 1.0)


def test_what_a_callback_of_the_users_logs_can_be_monitored(gan):
    logs = Epochs(fid=[3.0, 2.0, 4.0])
    stop = callbacks.EarlyStopping("fid", mode="min", patience=1)
    with pytest.raises(ValueError, match="'fid', which is not a loss"):
        fit(gan, stop, logs, validation_data=None)
    fit(gan, logs, stop, epochs=3, validation_data=None)
    assert (logs.count, stop.best, stop.best_epoch) == (3, 2.0, 1)
    # With two optimizers, Keras logs no rate.
    slower = callbacks.ReduceLROnPlateau("generator/adversarial")
    with pytest.raises(ValueError, match="'learning_rate', which is not a loss"):
        fit(gan, slower, callbacks.EarlyStopping("learning_rate", mode="min"))


def test_a_number_without_a_known_direction_needs_a_mode(gan, tmp_path):
    logs = Epochs(my_iou=[0.1, 0.9])
    for kind, callback in (
        ("RunPage", RunPage(BATCH, tmp_path, "my_iou")),
        ("EarlyStopping", callbacks.EarlyStopping("my_iou")),
    ):
        message = rf"{kind} monitors 'my_iou', .* unknown. Pass {kind}\(mode=...\), .min. or .max."
        with pytest.raises(ValueError, match=message):
            fit(gan, logs, callback, epochs=2)
    assert logs.count == 0
    # A checkpoint that saves every epoch has no direction, and a page without `monitor` neither.
    always = callbacks.ModelCheckpoint(tmp_path / "last.weights.h5", save_weights_only=True)
    directed = RunPage(BATCH, tmp_path / "directed", "my_iou", "max", every=2)
    loss = RunPage(BATCH, tmp_path / "loss", "val_generator/adversarial", every=2)
    without = RunPage(BATCH, tmp_path / "without", every=2)
    fit(gan, logs, directed, loss, without, always, epochs=2)
    found = {}
    for path in tmp_path.glob("*/run.html"):
        text = path.read_text(encoding="utf-8").partition('id="run">')[2].partition("</script>")[0]
        found[path.parent.name] = json.loads(text)["best"]
    values = gan.history.history["val_generator/adversarial"]
    assert found["directed"] == {"name": "my_iou", "epoch": 2, "value": 0.9}
    assert found["loss"]["epoch"] == 1 + int(np.argmin(values)) and found["without"] is None


class WandbMetricsLogger(callbacks.Callback):
    __module__ = "wandb.integration.keras.callbacks.metrics_logger"


class WithoutDirection(Scripted):
    def __init__(self, numbers):
        super().__init__(numbers, better=None)


@pytest.mark.parametrize(
    "callback",
    [
        callbacks.EarlyStopping("val_of_one"),
        callbacks.ModelCheckpoint("a.keras", "val_distance", save_best_only=True),
        callbacks.ModelCheckpoint("{val_distance:.2f}.keras"),
        callbacks.ReduceLROnPlateau("val_distance", mode="min"),
        callbacks.CSVLogger("a.csv"),
        callbacks.TensorBoard("a"),
        WandbMetricsLogger(),
        RunPage(BATCH, "a"),
    ],
    ids=lambda callback: type(callback).__name__,
)
def test_who_wants_a_metric_stands_behind_what_logs_it(gan, callback):
    evaluate, epochs = EvaluateMetrics(BATCH, [Scripted([1]), Brightness()]), Epochs()
    message = f"{type(callback).__name__} comes before the EvaluateMetrics that logs 'val_"
    with pytest.raises(ValueError, match=message):
        fit(gan, epochs, callback, evaluate)
    assert epochs.count == 0


def test_metrics_are_monitored_after_epochs_and_in_a_known_direction(gan):
    evaluate = EvaluateMetrics(BATCH, WithoutDirection([1]))
    with pytest.raises(ValueError, match=r"Pass EvaluateMetrics\(directions={'distance': ...}\)"):
        fit(gan, evaluate, callbacks.EarlyStopping("val_distance"))
    with pytest.raises(ValueError, match="two EvaluateMetrics log 'val_distance'"):
        fit(gan, evaluate, EvaluateMetrics(BATCH, Scripted([1])))
    often = callbacks.ModelCheckpoint("a.keras", "val_distance", save_best_only=True, save_freq=1)
    with pytest.raises(ValueError, match="ModelCheckpoint waits for 'val_distance'"):
        fit(gan, evaluate, often)
    with pytest.raises(ValueError, match="'val_distanse', which is not a loss .*'val_distance'"):
        fit(gan, evaluate, callbacks.EarlyStopping("val_distanse", mode="min"))
    directed = EvaluateMetrics(BATCH, WithoutDirection([1, 2]), directions={"distance": "max"})
    stop = callbacks.EarlyStopping("val_distance", patience=5)
    fit(gan, directed, stop, epochs=2)
    assert (stop.best, stop.mode) == (2, "max")


@swaps_averages
def test_the_best_file_holds_the_averages_that_were_measured(tmp_path):
    averaging = BiasCorrectedAdam(1e-2, use_ema=True, ema_momentum=0.9)
    gan = tiny_gan(generator_optimizer=averaging, run_eagerly=True)
    metric, path = Scripted([1]), tmp_path / "best.weights.h5"
    evaluate = EvaluateMetrics(BATCH, metric)
    best = callbacks.ModelCheckpoint(
        path, "val_distance", save_best_only=True, save_weights_only=True
    )
    swap = callbacks.SwapEMAWeights(swap_on_epoch=True)
    stop = callbacks.EarlyStopping("val_distance", restore_best_weights=True)
    for others, kind in (
        ([evaluate, best], "ModelCheckpoint"),
        ([evaluate, best, swap], "ModelCheckpoint"),
        ([callbacks.SwapEMAWeights(), evaluate, best], "ModelCheckpoint"),
        ([evaluate, stop], "EarlyStopping"),
    ):
        with pytest.raises(ValueError, match=rf"swap_on_epoch=True\) before {kind}, or make"):
            fit(gan, *others)
    assert int(averaging.iterations) == 0
    fit(gan, evaluate, swap, best, validation_data=None)
    ((_, measured),) = metric.seen
    loaded = tiny_gan(generator_optimizer=averaging, run_eagerly=True)
    loaded.load_weights(path)
    painted = loaded.generate(BATCH["labels"], seed=0).astype(int)
    assert np.abs(painted - measured).max() <= 1
