"""`calibrate`, compared with the same network in plain NumPy."""

import re
from functools import partial

import keras
import numpy as np
import pytest
from support.backends import BACKEND
from support.plain_tiny import PlainTiny
from support.tiny_gan import SHAPE, state_of, tiny_batch, tiny_gan
from support.tiny_generator import TinyGenerator
from support.tiny_metrics import Scripted

from keras_spade import GauGAN, StyleEncoder
from keras_spade.callbacks import EvaluateMetrics
from keras_spade.networks import Generator
from keras_spade.optimizers import BiasCorrectedAdam

SAMPLES = 5  # Two, two, and one.


def batches_of(labels, batch_size=2):
    return [labels[i : i + batch_size] for i in range(0, len(labels), batch_size)]


def trained(steps=2, latent_dim=None, **arguments):
    optimizer = BiasCorrectedAdam(1e-2, use_ema=True, ema_momentum=0.6)
    gan = tiny_gan(latent_dim=latent_dim, generator_optimizer=optimizer, **arguments)
    for seed in range(steps):
        gan.train_on_batch(tiny_batch(seed=seed))
    return gan


def statistics_of(gan):
    block = gan.generator.get_layer("head_0")
    norms = [spade.feature_norm for spade in (block.norm_0, block.norm_s, block.norm_1)]
    return [np.array(v) for norm in norms for v in (norm.moving_mean, norm.moving_variance)]


def assert_statistics(gan, plain, labels):
    """Checks statistics over all batches, each of which is normalised by itself."""
    inputs = [plain.paint(batch)[0] for batch in labels]
    first, second = (np.concatenate(x) for x in zip(*inputs, strict=True))
    wanted = [f(x, axis=(0, 1, 2)) for x in (first, first, second) for f in (np.mean, np.var)]
    for got, want in zip(statistics_of(gan), wanted, strict=True):
        np.testing.assert_allclose(got, want, rtol=2e-5, atol=1e-6)


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    """A trained GAN, its state before and after calibration, and its file."""
    gan = trained()
    before = state_of(gan)
    gan.calibrate(tiny_batch(SAMPLES), batch_size=2, verbose=0)
    path = tmp_path_factory.mktemp("calibrated") / "gan.keras"
    gan.save(path)
    return gan, before, state_of(gan), path


def test_statistics_are_those_of_all_batches_and_nothing_else_moves(case):
    gan, before, after, _ = case
    assert_statistics(gan, PlainTiny(gan.generator), batches_of(tiny_batch(SAMPLES)["labels"]))
    moved = {k for k in before if not np.array_equal(before[k], after[k])}
    paths = [weight.path for weight in gan.generator.weights]
    assert moved == {f"generator/{i}" for i, path in enumerate(paths) if "/moving_" in path}


def test_metrics_see_what_the_calibrated_averages_paint(case):
    gan, _, after, _ = case
    metric, labels = Scripted([1]), tiny_batch(seed=9)["labels"]
    EvaluateMetrics(tiny_batch(seed=9), metric).evaluate(gan)
    ((_, seen),) = metric.seen
    wanted = gan.averaged().generate(labels, seed=0).astype(int)
    with gan.painting_averages():
        for variable, value in zip(statistics_of(gan), statistics_of(gan.averaged()), strict=True):
            np.testing.assert_array_equal(variable, value)
    kept, gan.statistics_of_averages = gan.statistics_of_averages, None
    assert np.abs(gan.averaged().generate(labels, seed=0) - wanted).max() > 1
    gan.statistics_of_averages = kept
    assert np.abs(seen - wanted).max() <= 1
    for name, value in state_of(gan).items():
        np.testing.assert_array_equal(value, after[name], err_msg=name)


def test_averages_get_their_own(case):
    gan, *_ = case
    labels = batches_of(tiny_batch(SAMPLES)["labels"])
    averaged = gan.averaged()
    assert_statistics(averaged, PlainTiny(averaged.generator), labels)
    apart = zip(statistics_of(averaged), statistics_of(gan), strict=True)
    assert max(np.abs(a - b).max() for a, b in apart) > 1e-3


def test_files_keep_both(case):
    gan, _, _, path = case
    twin = keras.models.load_model(path)
    for one, other in ((twin, gan), (twin.averaged(), gan.averaged())):
        for got, want in zip(statistics_of(one), statistics_of(other), strict=True):
            np.testing.assert_array_equal(got, want)
    # After another step, these are averages of other weights.
    twin.train_on_batch(tiny_batch())
    for got, want in zip(statistics_of(twin.averaged()), statistics_of(twin), strict=True):
        np.testing.assert_array_equal(got, want)


def test_training_resumes_as_if_nothing_had_been():
    gan = tiny_gan()
    begun, ends = state_of(gan), []
    for calibrated in (False, True):
        for group, variables in gan.state_variables().items():
            for i, variable in enumerate(variables):
                variable.assign(begun[f"{group}/{i}"])
        if calibrated:
            gan.calibrate(tiny_batch(4), batches=1, batch_size=2, verbose=0)
        gan.train_on_batch(tiny_batch(seed=7))
        ends.append(state_of(gan))
    apart = {k for k in begun if not np.array_equal(ends[0][k], ends[1][k])}
    paths = [weight.path for weight in gan.generator.weights]
    assert apart == {f"generator/{i}" for i, path in enumerate(paths) if "/moving_" in path}


@pytest.mark.parametrize("norm", ["sync_batch", "batch"])
def test_painting_after_one_batch_is_what_the_pass_painted(norm):
    gan = tiny_gan(latent_dim=None, generator=partial(TinyGenerator, norm=norm))
    batch = tiny_batch(2)
    _, want = PlainTiny(gan.generator).paint(batch["labels"])
    assert np.abs(gan.predict(batch, verbose=0) - want).max() > 1e-3
    gan.calibrate((batch["labels"], batch["image"]), verbose=0)
    np.testing.assert_allclose(gan.predict(batch, verbose=0), want, atol=2e-5)
    np.testing.assert_allclose(gan.generate(batch["labels"]), 127.5 * (want + 1), atol=0.51)


def test_latents_are_those_that_training_would_draw_or_of_the_seed():
    gan = tiny_gan()
    state = np.array(gan.seed_generator.state)
    found = {}
    for name, seed in (("next", None), ("again", None), ("five", 5), ("five again", 5)):
        gan.calibrate(tiny_batch(4), batch_size=4, seed=seed, verbose=0)
        found[name] = statistics_of(gan)[0]
    np.testing.assert_array_equal(np.array(gan.seed_generator.state), state)
    np.testing.assert_array_equal(found["next"], found["again"])
    np.testing.assert_array_equal(found["five"], found["five again"])
    dense = gan.generator.get_layer("fc")
    kernel, bias = (np.array(weight, "float64") for weight in dense.weights)
    latent = np.array(keras.random.normal((4, 2), seed=gan.seed_generator), "float64")
    want = (latent @ kernel + bias).reshape(4, 8, 8, 2).mean(axis=(0, 1, 2))
    np.testing.assert_allclose(found["next"], want, rtol=1e-4, atol=1e-6)
    assert np.abs(found["five"] - want).max() > 1e-4


def test_an_encoder_is_calibrated_along_and_gives_the_latents():
    gan = tiny_gan()
    encoder = StyleEncoder(SHAPE, 2, base_filters=1, resize_to=None, norm="batch")
    gan = GauGAN(gan.generator, gan.discriminator, encoder, seed=3)
    batch = tiny_batch(4)
    gan.calibrate(batch, batch_size=4, verbose=0)
    padded = np.pad(batch["image"], ((0, 0), (1, 1), (1, 1), (0, 0)))
    inputs = np.array(encoder.get_layer("conv_0")(padded), "float64")
    norm = encoder.get_layer("norm_0")
    np.testing.assert_allclose(norm.moving_mean, inputs.mean(axis=(0, 1, 2)), atol=1e-6)
    np.testing.assert_allclose(norm.moving_variance, inputs.var(axis=(0, 1, 2)), rtol=1e-5)
    before = statistics_of(gan)
    batch["image"] = -batch["image"]
    gan.calibrate(batch, batch_size=4, verbose=0)
    moved = np.abs(statistics_of(gan)[0] - before[0]).max()
    assert moved > 1e-3 * np.abs(before[0]).max()


@pytest.mark.parametrize("verbose", [1, 2, "auto", 0])
def test_progress_is_titled_and_shows_no_losses(verbose, capsys):
    title = "Computing the statistics of the batch norms"
    for gan, ending in (
        (tiny_gan(latent_dim=None), ":"),
        (trained(1), ", also for the averages of the weights:"),
    ):
        capsys.readouterr()
        gan.calibrate(tiny_batch(SAMPLES), batch_size=2, verbose=verbose)
        printed = capsys.readouterr().out
        if verbose == 0:
            assert printed == ""
            continue
        first, *others = printed.splitlines()
        assert first == title + ending
        assert "3/3" in others[-1] and "batch_size" not in printed
        # On JAX, the bar may omit its first update.
        if verbose == 2 or BACKEND != "jax":
            assert ("1/3" in printed) == (verbose != 2)
        # After the time per step, losses would follow.
        assert re.search(r"/step(\s|\x1b\[\d*m|\x08)*$", printed)


def test_what_is_frozen_stands_still():
    gan = tiny_gan()
    gan.generator.get_layer("head_0").norm_1.trainable = False
    before = statistics_of(gan)
    gan.calibrate(tiny_batch(), verbose=0)
    moved = [np.abs(x - y).max() > 1e-6 for x, y in zip(statistics_of(gan), before, strict=True)]
    assert moved == [True, True, True, True, False, False]
    gan.trainable = False
    with pytest.warns(UserWarning, match="nothing to do.*no batch norms, or these are frozen"):
        gan.calibrate(tiny_batch(), verbose=0)


def test_instance_norms_have_nothing_to_calibrate():
    gan = tiny_gan(generator=partial(TinyGenerator, norm="instance"))
    before = state_of(gan)
    with pytest.warns(UserWarning, match="`calibrate` has nothing to do"):
        gan.calibrate(tiny_batch(), verbose=0)
    assert all(np.array_equal(x, before[k]) for k, x in state_of(gan).items())


@keras.saving.register_keras_serializable(package="tests")
class NormOfKeras(Generator):
    """A generator with Keras' own batch norm."""

    ARGUMENTS = ("num_classes", "image_shape")
    void_class = instance_edges = spectral_norm = False
    latent_dim = None
    conditioning, modulation = "labels", "dense"

    def __init__(self, num_classes, image_shape, name="generator", dtype=None, trainable=True):
        labels = keras.Input(image_shape[:2], name="labels", dtype="int32")
        x = keras.layers.Embedding(num_classes, image_shape[-1])(labels)
        x = keras.layers.BatchNormalization(name="norm")(x)
        super().__init__(inputs={"labels": labels}, outputs=x, name=name, trainable=trainable)
        self.num_classes, self.image_shape = num_classes, image_shape


@pytest.fixture(scope="module")
def gan():
    return tiny_gan(latent_dim=None)


def test_a_norm_of_keras_is_refused(gan):
    other = GauGAN(NormOfKeras(3, SHAPE), gan.discriminator)
    with pytest.raises(ValueError, match="'norm' is a BatchNormalization.*FeatureNorm"):
        other.calibrate(tiny_batch(), verbose=0)


def test_values_that_are_not_finite_change_nothing(gan):
    kernel = gan.generator.get_layer("head_0").conv_0.kernel
    good = np.array(kernel)
    kernel.assign(good * np.nan)
    before = statistics_of(gan)
    with pytest.raises(ValueError, match="norm_1/norm/moving_mean would not be finite"):
        gan.calibrate(tiny_batch(), verbose=0)
    for got, want in zip(statistics_of(gan), before, strict=True):
        np.testing.assert_array_equal(got, want)
    kernel.assign(good)


def test_bad_arguments(gan):
    batch = tiny_batch()
    for batches in (0, -1, 2.5, True, "all"):
        with pytest.raises(ValueError, match=f"`batches` must be.*, got {batches!r}"):
            gan.calibrate(batch, batches)
    with pytest.raises(ValueError, match="lacks the key 'labels'"):
        gan.calibrate({"image": batch["image"]}, verbose=0)
    with pytest.raises(ValueError, match="`image` must be floats in \\[-1, 1\\]"):
        gan.calibrate({**batch, "image": 128 * batch["image"]}, verbose=0)
    with pytest.raises(ValueError, match=r"`labels` must hold ids 0\.\.2; found .*: 1, 3"):
        gan.calibrate({**batch, "labels": batch["labels"] + 1}, verbose=0)
    with pytest.raises(ValueError, match="`sample_weight`"):
        gan.calibrate((batch["labels"], batch["image"], np.ones(2)))


@pytest.mark.skipif(BACKEND == "torch", reason="tf.data is read by the other two's tests")
def test_datasets_of_tensorflow(gan):
    tf = pytest.importorskip("tensorflow")
    labels = tiny_batch(SAMPLES)["labels"]
    data = tf.data.Dataset.from_tensor_slices(tiny_batch(SAMPLES)).batch(2)
    gan.calibrate(data, batches=9, verbose=0)  # There are three.
    assert_statistics(gan, PlainTiny(gan.generator), batches_of(labels))
    gan.calibrate(data.repeat(), batches=2, verbose=0)
    assert_statistics(gan, PlainTiny(gan.generator), batches_of(labels)[:2])
    with pytest.raises(ValueError, match="`dataset` is infinite: pass the number of `batches`"):
        gan.calibrate(data.repeat())
    with pytest.raises(ValueError, match="`batch_size` is for arrays"):
        gan.calibrate(data, batch_size=2)
    with pytest.raises(ValueError, match="`dataset` is empty"):
        gan.calibrate(data.take(0), verbose=0)


def test_compiled_as_a_whole_it_is_the_same():
    gan = tiny_gan(latent_dim=None, run_eagerly=False)
    gan.calibrate(tiny_batch(SAMPLES), batch_size=2, verbose=0)
    plain = PlainTiny(gan.generator)
    assert_statistics(gan, plain, batches_of(tiny_batch(SAMPLES)["labels"]))
