import json

import keras
import numpy as np
import pytest
from support.backends import sixty_four_bits, with_gradients
from support.golden_files import relative_error
from support.harness import to_numpy

from keras_spade.optimizers import BiasCorrectedAdam


def algorithm_1(gradients, rates, beta_1, beta_2, epsilon):
    """Positions after every step of Kingma and Ba's algorithm 1 from zero, in float64."""
    x, m, v, positions = 0.0, 0.0, 0.0, []
    for t, (gradient, rate) in enumerate(zip(gradients, rates, strict=True), start=1):
        m = beta_1 * m + (1 - beta_1) * gradient
        v = beta_2 * v + (1 - beta_2) * gradient**2
        x = x - rate * (m / (1 - beta_1**t)) / (np.sqrt(v / (1 - beta_2**t)) + epsilon)
        positions.append(x)
    return positions


def small_gradients(steps):
    """Gradients of both signs, with sizes from 1e-9 to 1e-2."""
    rng = np.random.default_rng(0)
    sizes = np.logspace(-9, -2, 64)
    return sizes * rng.normal(1.0, 0.5, (steps, 64)) * rng.choice([-1.0, 1.0], (steps, 64))


def run(optimizer, gradients):
    """Positions after every step from zero."""
    variable = keras.Variable(np.zeros(gradients.shape[1:], "float32"))
    positions = []
    for gradient in gradients:
        optimizer.apply([keras.ops.convert_to_tensor(gradient.astype("float32"))], [variable])
        positions.append(keras.ops.convert_to_numpy(keras.ops.convert_to_tensor(variable)))
    return positions


@pytest.mark.parametrize(
    ("beta_1", "beta_2", "epsilon"),
    [(0.0, 0.9, 1e-8), (0.5, 0.999, 1e-8), (0.9, 0.99, 1e-4), (0.5, 0.9, 1e-7)],
)
def test_steps_are_those_of_algorithm_1(beta_1, beta_2, epsilon):
    gradients = small_gradients(10)
    optimizer = BiasCorrectedAdam(1e-3, beta_1=beta_1, beta_2=beta_2, epsilon=epsilon)
    wanted = algorithm_1(gradients, [1e-3] * 10, beta_1, beta_2, epsilon)
    for got, want in zip(run(optimizer, gradients), wanted, strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-8)


def test_defaults_are_the_papers_of_this_package():
    gradients = small_gradients(5)
    wanted = algorithm_1(gradients, [1e-4] * 5, 0.0, 0.9, 1e-8)
    for got, want in zip(run(BiasCorrectedAdam(), gradients), wanted, strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-9)


@pytest.mark.parametrize(("dtype", "limit"), [("float64", 1e-12), ("float16", 0.02)])
@sixty_four_bits()
def test_variables_of_other_dtypes(dtype, limit):
    gradients = np.random.default_rng(0).uniform(0.1, 1.0, (4, 8)).astype(dtype)
    variable = keras.Variable(np.zeros(8), dtype=dtype)
    optimizer = BiasCorrectedAdam(0.0625, beta_1=0.5, beta_2=0.75, epsilon=2.0**-10)
    wanted = algorithm_1(gradients.astype("float64"), [0.0625] * 4, 0.5, 0.75, 2.0**-10)
    for gradient, want in zip(gradients, wanted, strict=True):
        optimizer.apply([keras.ops.convert_to_tensor(gradient)], [variable])
        assert relative_error(variable, want) < limit


def test_variables_of_many_shapes_whose_gradients_lie_otherwise_in_memory():
    rng = np.random.default_rng(1)
    shapes = [(), (5,), (3, 4), (2, 3, 4, 5)]
    variables = [keras.Variable(np.zeros(shape, "float32")) for shape in shapes]
    steps = [[np.array(rng.normal(size=shape)) for shape in shapes] for _ in range(3)]
    optimizer = BiasCorrectedAdam(1e-2, beta_1=0.5)
    for gradients in steps:
        # Transposes of transposed arrays: on PyTorch, this does not move data.
        gradients = [
            keras.ops.transpose(g.T.astype("float32", order="C"), tuple(range(g.ndim))[::-1])
            for g in gradients
        ]
        optimizer.apply(gradients, variables)
    for variable, gradients in zip(variables, zip(*steps, strict=True), strict=True):
        want = algorithm_1(np.stack(gradients), [1e-2] * 3, 0.5, 0.9, 1e-8)[-1]
        np.testing.assert_allclose(to_numpy(variable), want, rtol=1e-5, atol=1e-8)


def test_kerass_own_options_work_as_ever():
    # Compared with Keras' Adam, which does the same if no gradient is small.
    rng = np.random.default_rng(2)
    gradients = rng.choice([-1.0, 1.0], (6, 2, 8)) * rng.uniform(0.5, 2.0, (6, 2, 8))
    found = []
    for kind in (BiasCorrectedAdam, keras.optimizers.Adam):
        for options in (
            {"weight_decay": 0.1, "use_ema": True, "ema_momentum": 0.5},
            {"global_clipnorm": 1.0, "gradient_accumulation_steps": 2},
        ):
            optimizer = kind(0.05, beta_1=0.5, beta_2=0.9, epsilon=1e-8, **options)
            variables = [keras.Variable(np.full(8, start, "float32")) for start in (1.0, -2.0)]
            for step, pair in enumerate(gradients):
                if step == 4:
                    optimizer.learning_rate = 0.01
                pair = [keras.ops.convert_to_tensor(g.astype("float32")) for g in pair]
                optimizer.apply(pair, variables)
            found.append([to_numpy(variable) for variable in variables])
            if "use_ema" in options:
                optimizer.finalize_variable_values(variables)
                found[-1] += [to_numpy(variable) for variable in variables]
    for got, want in zip(found[:2], found[2:], strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-5)
        assert np.std(got) > 0.1


def test_learning_rate_schedules_are_followed():
    gradients = small_gradients(6)
    schedule = keras.optimizers.schedules.PiecewiseConstantDecay([2, 4], [1e-3, 1e-4, 1e-2])
    wanted = algorithm_1(gradients, [1e-3] * 3 + [1e-4] * 2 + [1e-2], 0.5, 0.9, 1e-8)
    got = run(BiasCorrectedAdam(schedule, beta_1=0.5), gradients)
    np.testing.assert_allclose(got, wanted, rtol=1e-5, atol=1e-7)


def test_a_gradient_of_epsilon_takes_half_a_step_unlike_keras_adam():
    options = {"learning_rate": 1.0, "beta_1": 0.0, "beta_2": 0.9, "epsilon": 1e-8}
    gradients = np.full((1, 1), 1e-8)
    assert relative_error(run(BiasCorrectedAdam(**options), gradients)[0], [-0.5]) < 1e-5
    # Keras adds epsilon to sqrt(v) = sqrt(0.1) * 1e-8: sqrt(0.1) / (sqrt(0.1) + 1) = 0.24.
    theirs = -np.sqrt(0.1) / (np.sqrt(0.1) + 1.0)
    assert relative_error(run(keras.optimizers.Adam(**options), gradients)[0], [theirs]) < 1e-5


def test_ordinary_gradients_step_as_keras_adam_does():
    options = {"learning_rate": 1e-3, "beta_1": 0.5, "beta_2": 0.9, "epsilon": 1e-8}
    gradients = np.random.default_rng(0).normal(size=(5, 16))
    ours, theirs = (
        run(optimizer(**options), gradients)
        for optimizer in (BiasCorrectedAdam, keras.optimizers.Adam)
    )
    np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-8)


def test_config_rebuilds_the_optimizer():
    optimizer = BiasCorrectedAdam(3e-4, beta_1=0.5, beta_2=0.99, epsilon=1e-6, clipnorm=1.0)
    config = json.loads(json.dumps(keras.saving.serialize_keras_object(optimizer)))
    rebuilt = keras.saving.deserialize_keras_object(config)
    assert type(rebuilt) is BiasCorrectedAdam
    assert rebuilt.get_config() == optimizer.get_config()
    assert (rebuilt.beta_1, rebuilt.beta_2, rebuilt.epsilon) == (0.5, 0.99, 1e-6)
    assert rebuilt.clipnorm == 1.0
    assert float(rebuilt.learning_rate) == pytest.approx(3e-4)


@with_gradients()
def test_training_resumes_after_saving_as_if_nothing_had_happened(tmp_path):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(8, 3)).astype("float32"), rng.normal(size=(8, 2)).astype("float32")
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    model.compile(BiasCorrectedAdam(1e-2, beta_1=0.5), "mse")
    for _ in range(3):
        model.train_on_batch(x, y)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert type(loaded.optimizer) is BiasCorrectedAdam
    assert int(loaded.optimizer.iterations) == 3
    for network in (model, loaded):
        for _ in range(3):
            network.train_on_batch(x, y)
    for ours, theirs in zip(loaded.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_amsgrad_is_refused():
    with pytest.raises(ValueError, match="`amsgrad` must be False, got True"):
        BiasCorrectedAdam(amsgrad=True)
    assert not BiasCorrectedAdam(amsgrad=False).amsgrad
