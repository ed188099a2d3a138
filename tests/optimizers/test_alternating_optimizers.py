import keras
import numpy as np
import pytest

from keras_spade.optimizers import AlternatingOptimizers


def both(**arguments):
    return AlternatingOptimizers(keras.optimizers.SGD(0.1, **arguments), keras.optimizers.Adam(0.4))


def rates(optimizer):
    return [float(one.learning_rate) for one in optimizer.optimizers]


def test_both_rates_keep_their_ratio():
    optimizer = both()
    assert float(optimizer.learning_rate) == pytest.approx(0.1)
    optimizer.learning_rate = 0.025
    assert rates(optimizer) == pytest.approx([0.025, 0.1])
    optimizer.learning_rate = 0.0
    assert rates(optimizer) == [0.0, 0.0]
    optimizer.learning_rate = 0.1
    assert rates(optimizer) == pytest.approx([0.1, 0.4])


def test_the_end_of_training_overwrites_no_weights():
    w = keras.Variable(1.0)
    optimizer = both(use_ema=True, ema_momentum=0.5)
    optimizer.generator_optimizer.build([w])
    for _ in range(3):
        optimizer.generator_optimizer.apply([keras.ops.ones(())], [w])
    before = float(w)
    optimizer.finalize_variable_values([w])
    assert float(w) == before
    # 0.9, then the mean of 0.9 and 0.8, then of that and 0.7.
    average = optimizer.optimizers[0]._model_variables_moving_average[0]
    assert float(average) == pytest.approx(0.5 * (0.5 * 0.9 + 0.5 * 0.8) + 0.5 * 0.7)


def test_it_makes_no_steps_itself():
    optimizer = both()
    optimizer.build([])
    with pytest.raises(RuntimeError, match="take turns"):
        optimizer.apply([keras.ops.ones(())], [keras.Variable(1.0)])
    optimizer.generator_optimizer.build([keras.Variable(1.0)])
    assert int(optimizer.iterations) == 0


def test_scaled_losses_are_looked_through():
    inner = keras.optimizers.SGD(0.1)
    optimizer = AlternatingOptimizers(
        keras.optimizers.LossScaleOptimizer(inner), keras.optimizers.SGD(0.2)
    )
    assert optimizer.optimizers[0] is inner
    optimizer.learning_rate = 0.2
    assert rates(optimizer) == pytest.approx([0.2, 0.4])


def test_config_round_trip_and_nothing_of_its_own_in_files():
    optimizer = both()
    twin = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(optimizer))
    assert isinstance(twin.discriminator_optimizer, keras.optimizers.Adam)
    assert twin.get_config() == optimizer.get_config()
    store = {}
    optimizer.save_own_variables(store)
    optimizer.load_own_variables(store)
    assert not store
    assert np.allclose(rates(twin), [0.1, 0.4])
