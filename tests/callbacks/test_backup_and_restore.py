"""Backups: their content, and how training resumes from them within one process.

`tests/runs/test_killed.py` kills processes.
"""

import os

import keras
import numpy as np
import pytest
from support.backends import not_on, swaps_averages
from support.tiny_gan import state_of, tiny_batch, tiny_gan

from keras_spade.callbacks import BackupAndRestore, LinearDecay
from keras_spade.datasets import Source, by_epoch, epoch_order
from keras_spade.datasets.epoch_dataset import EpochDataset

SAMPLES = tiny_batch(5)


class Stop(keras.callbacks.Callback):
    """Interrupts training at the beginning of a step, and lists the completed steps."""

    def __init__(self, at=None):
        super().__init__()
        self.at, self.steps = at, []

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_begin(self, batch, logs=None):
        if (self.epoch, batch) == self.at:
            raise KeyboardInterrupt

    def on_train_batch_end(self, batch, logs=None):
        self.steps.append((self.epoch, batch))


def of_epochs():
    def for_epoch(epoch, first_batch):
        order = epoch_order(5, epoch, seed=7)[first_batch * 2 :]
        batches = tf.data.Dataset.from_tensor_slices(order).batch(2)
        return batches.map(lambda batch: {k: tf.gather(v, batch) for k, v in SAMPLES.items()})

    return by_epoch(for_epoch, 3)


def without_tensorflow():
    def for_epoch(epoch, first_batch):
        order = np.random.default_rng(epoch).permutation(5)
        batch = order[first_batch * 2 :][:2]
        return [{key: array[batch] for key, array in SAMPLES.items()}]

    return EpochDataset(Source(for_epoch, 3))


tf = pytest.importorskip("tensorflow", reason="tf.data is TensorFlow's")
DATA = {
    "arrays": lambda: {"x": SAMPLES, "batch_size": 2},
    "pair": lambda: {"x": SAMPLES["labels"], "y": SAMPLES["image"], "batch_size": 2},
    "fixed": lambda: {"x": tf.data.Dataset.from_tensor_slices(SAMPLES).batch(2)},
    "shuffled": lambda: {
        "x": tf.data.Dataset.from_tensor_slices(SAMPLES).shuffle(5, seed=1).batch(2)
    },
    "of_epochs": lambda: {"x": of_epochs()},
    "without_tensorflow": lambda: {"x": without_tensorflow()},
}


def train(folder, data="fixed", stop=None, epochs=2, model=None, **arguments):
    """Trains for some epochs, or until `stop`. Returns model, history and completed steps."""
    gan = tiny_gan() if model is None else model
    backup = BackupAndRestore(folder, **{"save_freq": 1, **arguments})
    steps = Stop(stop)
    data = DATA[data]() if isinstance(data, str) else data
    history = None
    try:
        history = gan.fit(
            **data, epochs=epochs, verbose=0, callbacks=[backup, steps, LinearDecay()]
        )
    except KeyboardInterrupt:
        assert stop is not None
    return gan, history, steps.steps


def equal(one, other):
    return one.keys() == other.keys() and all(np.array_equal(one[k], other[k]) for k in one)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Uninterrupted runs, by the kind of data."""
    runs = {}

    def run(kind):
        if kind not in runs:
            gan, history, steps = train(tmp_path_factory.mktemp("whole"), kind)
            assert steps == [(e, b) for e in range(2) for b in range(3)]
            runs[kind] = state_of(gan), history.history
        return runs[kind]

    return run


@pytest.mark.parametrize(
    "kind, stop",
    [
        pytest.param("of_epochs", (0, 2), marks=pytest.mark.slow_on("tensorflow")),
        pytest.param(
            "without_tensorflow", (1, 1), marks=not_on("tensorflow", "there it is installed")
        ),
        pytest.param("shuffled", (1, 1), marks=pytest.mark.slow_on("jax")),
        pytest.param("arrays", (1, 2), marks=pytest.mark.slow),
        pytest.param("pair", (0, 1), marks=pytest.mark.slow),
        pytest.param("fixed", (1, 0), marks=pytest.mark.slow),
    ],
)
def test_training_resumes_to_the_bit(kind, stop, whole, tmp_path):
    train(tmp_path, kind, stop)
    gan, history, steps = train(tmp_path, kind)
    state, losses = whole(kind)
    # Earlier batches are reported to callbacks again, but not computed again.
    assert steps == [(e, b) for e in range(stop[0], 2) for b in range(3)]
    assert equal(state_of(gan), state)
    assert history.history == losses
    assert history.epoch == [0, 1]


@pytest.mark.slow_on("jax")
def test_steps_made_before_are_not_made_again(tmp_path, monkeypatch):
    train(tmp_path, stop=(0, 2))
    gan = tiny_gan(run_eagerly=True)
    made = []
    step = gan.train_step
    monkeypatch.setattr(gan, "train_step", lambda *data: made.append(1) or step(*data))
    train(tmp_path, epochs=1, model=gan)
    assert len(made) == 1


@pytest.mark.slow_on("tensorflow")
def test_a_run_that_has_ended_stays_as_it_is_and_can_be_made_longer(tmp_path):
    gan, history, _ = train(tmp_path, epochs=1)
    ended = state_of(gan)
    files = sorted(os.listdir(tmp_path))
    assert files == ["epoch_00000_step_0000002.npz", "epoch_00001_step_0000000.npz"]
    again, same, steps = train(tmp_path, epochs=1)
    assert not steps and equal(state_of(again), ended)
    assert same.history == history.history and same.epoch == [0]
    longer, more, steps = train(tmp_path, epochs=2)
    assert steps == [(1, 0), (1, 1), (1, 2)] and more.epoch == [0, 1]
    assert all(values[:1] == history.history[name] for name, values in more.history.items())
    assert int(longer.generator_optimizer.iterations) == 6


@pytest.mark.slow_on("tensorflow")
def test_training_that_is_stopped_within_an_epoch_resumes_there(tmp_path, whole):
    class StopAfter(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            self.model.stop_training = batch == 1

    gan, backup = tiny_gan(), BackupAndRestore(tmp_path)
    gan.fit(**DATA["of_epochs"](), epochs=2, verbose=0, callbacks=[backup, StopAfter()])
    assert sorted(os.listdir(tmp_path))[-1] == "epoch_00000_step_0000002.npz"
    gan, history, steps = train(tmp_path, "of_epochs")
    assert steps == [(e, b) for e in range(2) for b in range(3)]
    assert equal(state_of(gan), whole("of_epochs")[0])
    assert history.epoch == [0, 1] and history.history == whole("of_epochs")[1]


def test_fewer_epochs_than_were_made_leave_the_backups(tmp_path):
    train(tmp_path, stop=(1, 1))
    before = sorted(os.listdir(tmp_path))
    _, _, steps = train(tmp_path, epochs=1)
    assert not steps and sorted(os.listdir(tmp_path)) == before


@pytest.mark.slow_on("tensorflow")
@pytest.mark.slow_on("jax")
@swaps_averages
def test_averages_in_the_model_do_not_reach_the_backups(tmp_path):
    def fit(folder, epochs, swap=None, stop=False):
        gan = tiny_gan(
            latent_dim=None,
            generator_optimizer=keras.optimizers.SGD(0.01, use_ema=True, ema_momentum=0.5),
        )
        swap = swap or keras.callbacks.SwapEMAWeights(swap_on_epoch=True)
        callbacks = [BackupAndRestore(folder), swap]
        if stop:
            at_end = keras.callbacks.LambdaCallback(
                on_epoch_end=lambda epoch, logs: setattr(gan, "stop_training", True)
            )
            callbacks.append(at_end)
        gan.fit(**DATA["fixed"](), epochs=epochs, verbose=0, callbacks=callbacks)
        # At the end, averages are in the model and in its copy, as in Keras.
        for mine, averaged in zip(
            gan.generator_variables, gan.averaged().generator_variables, strict=True
        ):
            np.testing.assert_array_equal(mine, averaged)
        return state_of(gan)

    def assert_close(got, want):
        assert got.keys() == want.keys()
        for name in want:  # Swapping back and forth rounds.
            np.testing.assert_allclose(got[name], want[name], rtol=1e-4, atol=1e-5, err_msg=name)

    swap = keras.callbacks.SwapEMAWeights(swap_on_epoch=True)
    ended = fit(tmp_path / "longer", 1, swap)
    assert_close(fit(tmp_path / "longer", 1), ended)
    assert_close(fit(tmp_path / "stopped", 9, stop=True), ended)
    want = fit(tmp_path / "whole", 2)
    assert_close(fit(tmp_path / "longer", 2, swap), want)
    assert_close(fit(tmp_path / "stopped", 2), want)


def test_what_is_not_finite_is_not_backed_up(tmp_path):
    gan, _, _ = train(tmp_path, epochs=1)
    before = sorted(os.listdir(tmp_path))
    gan.generator.weights[0].assign(gan.generator.weights[0] * float("nan"))
    backup = BackupAndRestore(tmp_path)
    backup.set_model(gan)
    backup.set_params({"steps": 3})
    with pytest.raises(RuntimeError, match="is not finite, so no backup was made"):
        backup._save((4, 0))
    assert sorted(os.listdir(tmp_path)) == before


def test_other_models_are_refused(tmp_path):
    model = keras.Sequential([keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    with pytest.raises(TypeError, match="use keras.callbacks.BackupAndRestore"):
        model.fit(np.ones((2, 1)), np.ones((2, 1)), callbacks=[BackupAndRestore(tmp_path)])


@pytest.mark.slow_on("tensorflow")
@pytest.mark.slow_on("jax")
def test_backups_at_epochs_and_how_many_are_kept(tmp_path):
    train(tmp_path, epochs=3, save_freq="epoch", keep=3)
    assert sorted(os.listdir(tmp_path)) == [
        f"epoch_0000{epoch}_step_0000000.npz" for epoch in (1, 2, 3)
    ]
    train(tmp_path / "other", epochs=1, save_freq=2, keep=10)
    assert [name[6:26] for name in sorted(os.listdir(tmp_path / "other"))] == [
        "00000_step_0000000.n",
        "00000_step_0000002.n",
        "00001_step_0000000.n",
    ]
    train(tmp_path / "gone", epochs=1, delete_checkpoint=True)
    assert not os.listdir(tmp_path / "gone")


@pytest.mark.parametrize(
    "where",
    [
        pytest.param("arrays", marks=pytest.mark.slow_on("jax")),
        pytest.param("directory", marks=pytest.mark.slow_on("tensorflow")),
    ],
)
def test_a_damaged_backup_gives_way_to_the_one_before(where, tmp_path, whole):
    train(tmp_path, "of_epochs", stop=(1, 1))
    newest = tmp_path / sorted(os.listdir(tmp_path))[-1]
    content = bytearray(newest.read_bytes())
    # A byte of an array; or the compression method of an entry of the zip file's directory.
    place = len(content) // 2 if where == "arrays" else content.index(b"PK\1\2") + 10
    content[place] ^= 255
    newest.write_bytes(content)
    with pytest.warns(UserWarning, match="epoch_00001_step_0000001.npz cannot be read"):
        gan, _, steps = train(tmp_path, "of_epochs")
    assert steps[0] == (1, 0) and equal(state_of(gan), whole("of_epochs")[0])


@pytest.mark.filterwarnings("ignore:The backup")
def test_if_none_can_be_read_training_does_not_begin_anew(tmp_path):
    train(tmp_path, stop=(0, 2))
    for name in os.listdir(tmp_path):
        (tmp_path / name).write_bytes(b"PK")
    with pytest.raises(OSError, match="None of the backups in .* can be read"):
        train(tmp_path)
    assert len(os.listdir(tmp_path)) == 2


def test_a_backup_of_something_else_is_refused(tmp_path):
    train(tmp_path, stop=(0, 2))
    before = state_of(gan := tiny_gan(latent_dim=3))
    with pytest.raises(ValueError, match=r"step_0000002.npz belongs to another model.*gen"):
        train(tmp_path, model=gan)
    assert equal(state_of(gan), before)
    other = {"x": SAMPLES, "batch_size": 1}
    with pytest.raises(
        ValueError, match="in the middle of an epoch of 3 steps; now an epoch has 5"
    ):
        train(tmp_path, other)


def test_data_without_a_place_are_refused(tmp_path):
    class Sequence(keras.utils.PyDataset):
        def __len__(self):
            return 2

        def __getitem__(self, index):
            return SAMPLES

    with pytest.raises(ValueError, match="must be arrays, a `tf.data.Dataset`.*got Sequence"):
        train(tmp_path, {"x": Sequence()})
    with pytest.raises(ValueError, match="must hold arrays with the same number of samples"):
        train(tmp_path, {"x": SAMPLES["labels"], "y": SAMPLES["image"][:2]})
    with pytest.raises(ValueError, match="`sample_weight` is not used"):
        train(tmp_path, {"x": SAMPLES, "sample_weight": np.ones(5)})
    with pytest.raises(ValueError, match="`shuffle` must be True or False with Backup"):
        train(tmp_path, {"x": SAMPLES, "shuffle": "batch"})
    with pytest.raises(ValueError, match="`validation_split`"):
        train(tmp_path, {"x": SAMPLES, "validation_split": 0.2})


@not_on("torch", "Keras has no steps_per_execution there")
def test_executions_of_several_steps_must_fit(tmp_path):
    with pytest.raises(ValueError, match="`steps_per_execution` must divide"):
        train(tmp_path, model=tiny_gan(steps_per_execution=2))


def test_arguments():
    for arguments, message in (
        ({"save_freq": 0}, '`save_freq` must be "epoch" or an integer of at least 1, got 0'),
        ({"save_freq": "batch"}, "`save_freq` must be"),
        ({"keep": 0}, "`keep` must be an integer of at least 1"),
    ):
        with pytest.raises(ValueError, match=message):
            BackupAndRestore("folder", **arguments)
    with pytest.raises(ValueError, match="at most one BackupAndRestore"):
        tiny_gan().fit(SAMPLES, callbacks=[BackupAndRestore("a"), BackupAndRestore("b")])


def test_sixteen_bits_come_back(tmp_path):
    keras.config.set_floatx("bfloat16")
    gan = tiny_gan(dtype="bfloat16")
    backup = BackupAndRestore(tmp_path)
    assert backup.restore(gan) == (0, 0)
    dtypes = {v.dtype for group in gan.state_variables().values() for v in group}
    assert {"bfloat16", "float32"} <= dtypes
    before = state_of(gan)
    backup.set_model(gan)
    backup.set_params({"steps": 3})
    gan.history = keras.callbacks.History()
    gan.history.epoch = []
    backup.on_epoch_begin(0)
    for variable in gan.generator.weights:
        variable.assign(variable + 1)
    assert not equal(state_of(gan), before)
    backup.restore(gan)
    assert equal(state_of(gan), before)
    assert os.listdir(tmp_path) == ["epoch_00000_step_0000000.npz"]
