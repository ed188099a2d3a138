"""Non-finite losses and gradients change neither weights nor statistics."""

import keras
import numpy as np
import pytest
from keras import ops
from support.backends import not_on, only_on
from support.tiny_gan import state_of, tiny_batch, tiny_gan

from keras_spade.backends import backend
from keras_spade.runs import SkippedSteps

BAD = ["nan", "inf", "-inf"]


def spoiled(value, sample=1):
    batch = tiny_batch()
    batch["image"][sample, 3, 4, 0] = float(value)
    return batch


def moved(before, after, but=("seed", "skipped_steps", "metrics")):
    return [k for k in after if not k.startswith(but) and not np.array_equal(before[k], after[k])]


@pytest.mark.parametrize("value", BAD)
def test_a_bad_image_changes_nothing_and_is_counted(value):
    gan = tiny_gan()
    gan.train_on_batch(tiny_batch())
    gan.reset_metrics()  # `train_on_batch` does so from Keras 3.15 on.
    before = state_of(gan)
    logs = gan.train_on_batch(spoiled(value), return_dict=True)
    after = state_of(gan)
    assert not moved(before, after)
    assert gan.skipped_steps.total_number() == gan.skipped_steps.number_in_a_row() == 1
    bad = [name for name, value in logs.items() if not np.isfinite(value)]
    assert bad == ["discriminator/real", "generator/feature_matching"]
    gan.train_on_batch(tiny_batch())
    assert moved(before, state_of(gan))
    assert gan.skipped_steps.total_number() == 1 and gan.skipped_steps.number_in_a_row() == 0


def test_the_step_after_is_that_of_a_gan_that_has_not_seen_it():
    one, other = tiny_gan(latent_dim=None), tiny_gan(latent_dim=None)
    one.train_on_batch(spoiled("nan"))
    for gan in (one, other):
        gan.train_on_batch(tiny_batch())
    assert not moved(state_of(one), state_of(other))


def test_losses_are_averaged_over_the_good_steps():
    data = tiny_batch(4)
    data["image"][2:] = np.nan
    good = {key: value[:2] for key, value in data.items()}
    arguments = {"batch_size": 2, "shuffle": False, "verbose": 0}
    want = tiny_gan(latent_dim=None).fit(good, **arguments).history
    gan = tiny_gan(latent_dim=None)
    with pytest.warns(RuntimeWarning, match="Epoch 1, step 2: a loss or gradient was not finite"):
        got = gan.fit(data, **arguments).history
    for name in ("generator/feature_matching", "discriminator/real"):
        assert got[name] == want[name]
    assert np.isfinite(list(got.values())).all()


def test_a_bad_gradient_of_a_finite_loss_is_seen():
    w = keras.Variable([0.0, 2.0])
    statistic = keras.Variable(5.0)
    optimizer = keras.optimizers.Adam(0.1)
    optimizer.build([w])

    def loss():
        statistic.assign_add(1.0)
        return {"root": ops.sum(ops.sqrt(ops.convert_to_tensor(w)))}  # infinite slope at 0

    values, skipped = backend.minimize(loss, [w], optimizer, [statistic])
    assert np.isfinite(float(values["root"])) and bool(skipped)
    assert np.array_equal(w, [0.0, 2.0]) and float(statistic) == 5.0
    assert int(optimizer.iterations) == 0
    assert all(not np.any(np.array(v)) for v in optimizer.variables if "learning" not in v.path)
    w.assign([1.0, 2.0])
    _, skipped = backend.minimize(loss, [w], optimizer, [statistic])
    assert not bool(skipped) and float(statistic) == 6.0 and int(optimizer.iterations) == 1


def test_all_finite():
    check = backend.all_finite

    def all_finite(*arrays):
        return bool(check([ops.convert_to_tensor(np.asarray(a)) for a in arrays]))

    fine = np.array([[1.0, -1e18], [0.0, 1e-38]], "float32")
    assert all_finite(fine, np.float32(2.0))
    for value in BAD:
        assert not all_finite(fine, np.array([0.0, float(value)], "float32"))
    assert not all_finite(np.array([float("inf"), float("-inf")], "float32"))
    assert all_finite(np.full([100], 60000.0, "float16"), np.float32(1e18))


def test_a_gradient_whose_square_is_infinite_is_seen():
    w = keras.Variable(2.0)
    optimizer = keras.optimizers.Adam(0.1)
    optimizer.build([w])
    for factor, want in ((3e19, True), (1.0, False)):
        # Adam's second moment would be infinite, and the next step 0 * infinity.
        # The loss is near 0.
        step = backend.minimize(lambda f=factor: {"a": w * f - 2 * f}, [w], optimizer)
        assert bool(step[1]) == want
    assert float(w) == pytest.approx(1.9)


def test_averages_of_nothing_and_of_bad_losses_are_not_numbers():
    gan = tiny_gan(latent_dim=None, max_skipped_steps=None)
    with pytest.warns(RuntimeWarning):
        history = gan.fit(spoiled("nan"), epochs=1, verbose=0).history
    assert np.isnan(history["generator/feature_matching"]).all()
    assert np.isnan(gan.evaluate(spoiled("nan"), verbose=0, return_dict=True)["discriminator/real"])


def test_rows_within_one_execution_are_counted_too():
    counters = SkippedSteps()
    for skipped in (True, True, True, False, True):
        counters.count(skipped)
    assert (counters.total_number(), counters.number_in_a_row()) == (4, 1)
    assert counters.longest_row() == 3
    counters.begin_a_row(from_scratch=False)
    assert (counters.number_in_a_row(), counters.longest_row()) == (1, 1)
    counters.begin_a_row(from_scratch=True)
    assert (counters.total_number(), counters.number_in_a_row()) == (4, 0)
    assert counters.longest_row() == 0


@not_on("torch", "Keras has no steps_per_execution there")
def test_a_row_within_one_execution_stops_training():
    gan = tiny_gan(latent_dim=None, max_skipped_steps=3, steps_per_execution=4)
    data = tiny_batch(8)
    data["image"][:6] = np.nan
    with pytest.raises(RuntimeError, match="Epoch 1, step 4: .* in 3 steps in a row"):
        gan.fit(data, batch_size=2, shuffle=False, verbose=0)


def test_training_stops_after_too_many_in_a_row(tmp_path):
    gan = tiny_gan(max_skipped_steps=2)
    data = tiny_batch(10)
    data["image"][[2, 6, 7, 8]] = np.nan  # batches 1, 3 and 4
    gan.fit({k: v[:2] for k, v in data.items()}, batch_size=2, verbose=0)
    before = state_of(gan)
    with pytest.warns(RuntimeWarning) as caught, pytest.raises(RuntimeError) as stopped:
        gan.fit(data, batch_size=2, shuffle=False, epochs=3, verbose=0)
    messages = [str(w.message) for w in caught if "not finite" in str(w.message)]
    assert all("because the images contain NaN or infinity" in message for message in messages)
    assert ["step 2:" in messages[0], "step 4:" in messages[1], len(messages)] == [True, True, 2]
    assert "skipped: 1, 1 in a row, 2 in all" in messages[1]
    assert "Epoch 1, step 5" in str(stopped.value) and "in 2 steps in a row" in str(stopped.value)
    assert int(gan.generator_optimizer.iterations) == 1 + 2
    assert all(np.isfinite(value).all() for value in state_of(gan).values())
    assert moved(before, state_of(gan))
    with pytest.warns(RuntimeWarning, match="1 in a row, 4 in all"):
        gan.fit({k: v[2:4] for k, v in data.items()}, batch_size=2, verbose=0)  # not the third


def test_it_never_stops_if_set_so():
    gan = tiny_gan(max_skipped_steps=None)
    data = spoiled("nan")
    with pytest.warns(RuntimeWarning):
        gan.fit(data, epochs=3, verbose=0)
    assert gan.skipped_steps.number_in_a_row() == 3
    for steps in (0, 1.5, True):
        message = f"`max_skipped_steps` must be None or a positive integer, got {steps!r}"
        with pytest.raises(ValueError, match=message):
            gan.compile(perceptual_loss=None, max_skipped_steps=steps)


def scaled_sgd(scale):
    return keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.5), initial_scale=scale)


@pytest.mark.parametrize(
    "compiled", [False, pytest.param(True, marks=only_on("tensorflow", "tf.function"))]
)
def test_overflows_lower_the_loss_scale_and_are_no_skipped_steps(compiled):
    w, statistic = keras.Variable(3.0), keras.Variable(5.0)
    optimizer = scaled_sgd(2.0**15)
    optimizer.build([w])

    def loss():
        statistic.assign_add(1.0)
        # In float16, 3 * 2^15 is too large, and 3 * 2^14 is not.
        return {"square": ops.cast(ops.square(ops.cast(w, "float16")), "float32") / 2.0}

    def step():
        return backend.minimize(loss, [w], optimizer, [statistic])[1]

    if compiled:
        import tensorflow as tf

        step = tf.function(step)
    assert not bool(step())
    assert (float(w), float(statistic), float(optimizer.dynamic_scale)) == (3.0, 5.0, 2.0**14)
    assert not bool(step())
    assert (float(w), float(statistic), float(optimizer.dynamic_scale)) == (1.5, 6.0, 2.0**14)


def test_what_no_loss_scale_mends_is_a_skipped_step():
    w = keras.Variable(float(3))
    optimizer = scaled_sgd(2.0)
    optimizer.build([w])
    bad = keras.Variable(float("nan"))

    def step(loss):
        return bool(backend.minimize(lambda: {"a": loss()}, [w], optimizer)[1])

    assert step(lambda: w * bad)
    assert float(optimizer.dynamic_scale) == 1.0
    # The loss is finite here, but there is no smaller scale to find.
    assert step(lambda: ops.sqrt(ops.convert_to_tensor(w) - 3.0))
    assert float(w) == 3.0


@pytest.mark.slow_on("tensorflow")
def test_mixed_float16_scales_the_losses_of_both():
    gan = tiny_gan(dtype="mixed_float16")
    scales = keras.optimizers.LossScaleOptimizer
    both = (gan.generator_optimizer, gan.discriminator_optimizer)
    assert all(isinstance(optimizer, scales) for optimizer in both)
    assert gan.initial_learning_rates == pytest.approx((1e-4, 4e-4))
    before = state_of(gan)
    for optimizer in both:
        optimizer.dynamic_scale.assign(2.0**126)  # overflows for certain
    gan.train_on_batch(tiny_batch())
    assert gan.skipped_steps.total_number() == 0
    assert [float(optimizer.dynamic_scale) for optimizer in both] == [2.0**125] * 2
    assert not [k for k in moved(before, state_of(gan)) if "optimizer" not in k]
    for optimizer in both:
        optimizer.dynamic_scale.assign(2.0**10)
    gan.train_on_batch(tiny_batch())
    assert moved(before, state_of(gan))
    assert all(np.isfinite(value).all() for value in state_of(gan).values())

    twin = tiny_gan(dtype="mixed_float16", auto_scale_loss=False)
    assert not isinstance(twin.generator_optimizer, scales)
    assert not isinstance(tiny_gan(dtype="mixed_bfloat16").generator_optimizer, scales)
