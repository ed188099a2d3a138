import keras
import numpy as np
import pytest

from examples.paper.time_limit import TimeLimit


def rate(optimizer):
    """An optimizer's learning rate."""
    return keras.ops.convert_to_numpy(optimizer.learning_rate).item()


def fit(clock, epochs=100):
    """Trains a weight whose gradient is 1, four steps per epoch.

    Returns:
        The rate at each step, and the difference that training made to the weight.
    """
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False)])
    model.compile(keras.optimizers.SGD(0.5), lambda truth, output: keras.ops.mean(output))
    rates = []
    note = keras.callbacks.LambdaCallback(
        on_train_batch_begin=lambda batch, logs: rates.append(rate(model.optimizer))
    )
    (before,) = model.get_weights()
    x = np.ones((4, 1), "float32")
    model.fit(x, x, batch_size=1, epochs=epochs, callbacks=[clock, note], verbose=0)
    return rates, (model.get_weights()[0] - before).item()


def test_rates_fall_over_the_second_half_and_training_ends_by_the_clock():
    # Read when training begins and after each step: 100 s for the first one, 15 for the others.
    times = iter([0.0, 100.0, *(100.0 + 15 * i for i in range(1, 100))])
    clock = TimeLimit(minutes=4, clock=lambda: next(times))
    rates, difference = fit(clock)
    # 240 seconds are 16 steps after the first; the first two begin after 0 of them.
    want = [0.5 * min(1, 2 * (1 - seconds / 240)) for seconds in (0, *range(0, 240, 15))]
    assert rates == pytest.approx(want)
    assert difference == pytest.approx(-sum(want), rel=1e-5)  # Each step was made at its rate.
    assert (clock.first_step, clock.seconds, clock.done) == (100.0, 240.0, 17)


def test_steps_end_it_sooner():
    clock = TimeLimit(minutes=1000, steps=6)
    assert len(fit(clock)[0]) == 6
    assert clock.done == 6
