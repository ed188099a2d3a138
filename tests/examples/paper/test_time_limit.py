import keras
import numpy as np
import pytest

from examples.paper.time_limit import TimeLimit


def fit(clock, epochs=100):
    """Trains one weight, four steps per epoch; returns the rates at the end of each epoch."""
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(0.5), "mse", run_eagerly=True)
    rates = []
    note = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: rates.append(float(model.optimizer.learning_rate))
    )
    x = np.zeros((4, 1), "float32")
    callbacks = [clock, note]
    model.fit(x, x, batch_size=1, epochs=epochs, callbacks=callbacks, verbose=0)
    return rates


def test_rates_fall_over_the_second_half_and_training_ends_by_the_clock():
    # Read when training begins and after each step: 100 s for the first one, 15 for the others.
    times = iter([0.0, 100.0, *(100.0 + 15 * i for i in range(1, 100))])
    clock = TimeLimit(minutes=4, clock=lambda: next(times))
    rates = fit(clock)
    # 240 seconds are 16 steps after the first; epochs begin after 0, 45, 105, 165, 225 of them.
    want = [0.5 * min(1, 2 * (1 - seconds / 240)) for seconds in (0, 45, 105, 165, 225)]
    assert rates == pytest.approx(want)
    assert (clock.first_step, clock.seconds, clock.done) == (100.0, 240.0, 17)


def test_steps_end_it_sooner():
    clock = TimeLimit(minutes=1000, steps=6)
    assert len(fit(clock)) == 2
    assert clock.done == 6
