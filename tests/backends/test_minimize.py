import subprocess
import sys

import keras
import numpy as np
import pytest
from support.backends import BACKEND, label_error, only_on

from keras_spade.backends import backend

TWO_REPLICAS = """
import keras, numpy as np, tensorflow as tf
from keras_spade.backends.tensorflow import minimize

cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
with strategy.scope():
    w = keras.Variable(2.0)
    optimizer = keras.optimizers.SGD(0.1)
    optimizer.build([w])
xs = iter([1.0, 5.0])
x = strategy.experimental_distribute_values_from_function(lambda c: tf.constant(next(xs)))

@tf.function
def step(x):
    def on_replica(x):
        minimize(lambda: {"a": w * x}, [w], optimizer, share=0.5)

    strategy.run(on_replica, args=(x,))

step(x)
print(float(w.numpy()))
"""


def test_minimize_follows_the_gradient_of_the_sum():
    w = keras.Variable(2.0)
    other = keras.Variable(1.0)
    optimizer = keras.optimizers.SGD(0.1)
    optimizer.build([w])
    losses = {"square": lambda: w * w * other, "linear": lambda: 3.0 * w}
    values, skipped = backend.minimize(lambda: {k: f() for k, f in losses.items()}, [w], optimizer)
    assert not bool(skipped)
    assert {k: float(v) for k, v in values.items()} == {"square": 4.0, "linear": 6.0}
    assert float(w) == pytest.approx(2.0 - 0.1 * (2 * 2.0 + 3.0))
    assert float(other) == 1.0


@only_on("tensorflow", "tf.distribute")
def test_two_replicas_step_along_the_mean():
    result = subprocess.run(
        [sys.executable, "-c", TWO_REPLICAS], capture_output=True, text=True, timeout=300
    )
    assert result.returncode == 0, result.stderr[-2000:]
    assert float(result.stdout.split()[-1]) == pytest.approx(2.0 - 0.1 * (1.0 + 5.0) / 2)


@pytest.mark.parametrize("compiled", [False, True])
def test_label_range(compiled):
    check = backend.check_label_range
    if compiled:
        if BACKEND != "tensorflow":
            pytest.skip("a compiled function cannot raise there; trainings look before their steps")
        import tensorflow as tf

        check = tf.function(check, autograph=False)
    labels = keras.ops.convert_to_tensor([[[0, 3]]])
    assert np.array_equal(keras.ops.convert_to_numpy(check(labels, 4)), [[[0, 3]]])
    with pytest.raises(label_error(), match="ids 0..2"):
        check(labels, 3)
    with pytest.raises(label_error(), match="ids 0..3"):
        check(-labels, 4)


@pytest.mark.parametrize("compiled", [False, True])
def test_where_all_is_frozen_only_statistics_move_and_only_if_all_is_finite(compiled):
    moving, x = keras.Variable(1.0), keras.Variable(3.0)
    optimizer = keras.optimizers.Adam(0.1)
    optimizer.build([])

    def loss():
        moving.assign_add(1.0)
        return {"x": x * 2.0}

    def step():
        return backend.minimize(loss, [], optimizer, [moving], reads=[x])

    if compiled and BACKEND == "tensorflow":
        import tensorflow as tf

        step = tf.function(step)
    values, skipped = step()
    assert float(values["x"]) == 6.0 and not bool(skipped) and float(moving) == 2.0
    x.assign(np.inf)
    _, skipped = step()
    assert bool(skipped) and float(moving) == 2.0 and int(optimizer.iterations) == 0
