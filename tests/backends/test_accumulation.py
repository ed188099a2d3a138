"""Keras' gradient accumulation with each optimizer, on one device."""

import keras
import numpy as np
import pytest
from support.tiny_gan import state_of, tiny_batch, tiny_gan

from keras_spade.backends import backend
from keras_spade.optimizers import BiasCorrectedAdam


def test_two_parts_of_a_batch_move_weights_as_the_whole():
    xs = np.array([[1.0, 2.0], [4.0, 8.0]], "float32")

    def end(steps, batches):
        w = keras.Variable([3.0, -1.0])
        optimizer = BiasCorrectedAdam(0.1, beta_1=0.5, gradient_accumulation_steps=steps)
        optimizer.build([w])

        def loss(x):
            return {"a": keras.ops.sum(keras.ops.square(w) * keras.ops.convert_to_tensor(x))}

        for x in 3 * batches:
            backend.minimize(lambda x=x: loss(x), [w], optimizer)
        return np.array(w)

    np.testing.assert_allclose(end(None, [xs.mean(0)]), end(2, list(xs)), rtol=1e-6)


def test_a_gan_moves_every_second_step():
    optimizers = [keras.optimizers.SGD(0.1, gradient_accumulation_steps=2) for _ in range(2)]
    gan = tiny_gan(generator_optimizer=optimizers[0], discriminator_optimizer=optimizers[1])

    def weights():
        both = gan.generator_variables + gan.discriminator.trainable_variables
        return [np.array(w) for w in both]

    states = [weights()]
    for seed in range(4):
        gan.train_on_batch(tiny_batch(seed=seed))
        states.append(weights())
    moves = [
        any(not np.array_equal(x, y) for x, y in zip(one, other, strict=True))
        for one, other in zip(states[:-1], states[1:], strict=True)
    ]
    assert moves == [False, True, False, True]


def test_skipped_steps_are_not_counted_in():
    optimizers = [keras.optimizers.SGD(0.1, gradient_accumulation_steps=2) for _ in range(2)]
    gan = tiny_gan(generator_optimizer=optimizers[0], discriminator_optimizer=optimizers[1])
    gan.train_on_batch(tiny_batch())
    before = state_of(gan)
    batch = tiny_batch()
    batch["image"][:] = np.nan
    gan.train_on_batch(batch)
    after = state_of(gan)
    assert all(np.array_equal(before[k], after[k]) for k in after if "optimizer" in k)


def test_it_is_refused_where_it_fails(monkeypatch):
    gan = tiny_gan()
    monkeypatch.setattr(type(gan), "replicas", 2)
    for option in ({"gradient_accumulation_steps": 2}, {"clipnorm": 1.0}, {"global_clipnorm": 1.0}):
        name = next(iter(option))
        with pytest.raises(ValueError, match=f"`discriminator_optimizer`: on several.*{name}"):
            gan.compile(
                discriminator_optimizer=keras.optimizers.SGD(0.1, **option), perceptual_loss=None
            )
