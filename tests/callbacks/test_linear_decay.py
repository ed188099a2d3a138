from types import SimpleNamespace

import keras
import numpy as np
import pytest
from support.golden_files import load_golden
from support.tiny_gan import SHAPE, tiny_gan

from keras_spade.callbacks import LinearDecay


def rates(callback, epochs, initial=(1e-4, 4e-4)):
    optimizers = [keras.optimizers.SGD(rate) for rate in initial]
    model = SimpleNamespace(
        generator_optimizer=optimizers[0],
        discriminator_optimizer=optimizers[1],
        initial_learning_rates=initial,
    )
    callback.set_params({"epochs": epochs})
    callback._model = model
    seen = []
    for epoch in range(epochs):
        callback.on_epoch_begin(epoch)
        seen.append([float(optimizer.learning_rate) for optimizer in optimizers])
    return np.array(seen).T


def test_rates_of_the_reference():
    golden = load_golden("lr_schedule")
    epochs = golden.config["niter"] + golden.config["niter_decay"]
    callback = LinearDecay(golden.config["niter"], golden.config["niter_decay"])
    want = np.stack([golden["out/lr_G_used_in_epoch"], golden["out/lr_D_used_in_epoch"]])
    assert np.allclose(rates(callback, epochs), want, rtol=1e-6)


def test_the_second_half_decays_by_default():
    got = rates(LinearDecay(), 10)[0] / 1e-4
    assert got == pytest.approx([1, 1, 1, 1, 1, 1, 0.8, 0.6, 0.4, 0.2], rel=1e-5)
    assert rates(LinearDecay(), 1)[0] == pytest.approx([1e-4])
    assert rates(LinearDecay(constant_epochs=2), 4)[0] / 1e-4 == pytest.approx([1, 1, 1, 0.5])


def test_past_the_end_the_rate_is_zero():
    assert LinearDecay(1, 2).factor(5) == 0.0


def test_fit_moves_both_optimizers_of_a_loaded_model_too(tmp_path):
    gan = tiny_gan(latent_dim=None)
    labels, image = np.zeros((1, 32, 32), "int32"), np.zeros((1, *SHAPE), "float32")
    gan.fit(labels, image, epochs=4, callbacks=[LinearDecay()], verbose=0)
    assert float(gan.generator_optimizer.learning_rate) == pytest.approx(0.5e-4)
    assert float(gan.discriminator_optimizer.learning_rate) == pytest.approx(2e-4)
    gan.save(tmp_path / "gan.keras")
    twin = keras.models.load_model(tmp_path / "gan.keras")
    twin.fit(labels, image, epochs=2, initial_epoch=1, callbacks=[LinearDecay(4, 4)], verbose=0)
    assert float(twin.generator_optimizer.learning_rate) == pytest.approx(1e-4)


def test_bad_arguments():
    with pytest.raises(ValueError, match="`decay_epochs` must not be negative"):
        LinearDecay(decay_epochs=-1)
