import keras
import pytest

from keras_spade.models.loss_average import LossAverage


@pytest.mark.parametrize("floatx", ["bfloat16", "float32"])
def test_a_sample_counts_beside_a_thousand_whatever_the_default_float(floatx):
    keras.config.set_floatx(floatx)
    average = LossAverage(name="loss")
    average.update_state(1.0, sample_weight=1000)
    average.update_state(3.0, sample_weight=1)
    assert float(average.result()) == pytest.approx(1003 / 1001, abs=1e-6)
