"""The losses of both sides."""

import numpy as np
import pytest
from support.tiny_gan import tiny_batch, tiny_gan


def test_evaluation_judges_one_fake():
    """By Wasserstein losses: `-D(fake)` of the generator, `D(fake)` of the discriminator."""
    gan = tiny_gan(latent_dim=2, adversarial_loss="wasserstein")
    judge, scale = gan.discriminator, 30.0
    for weight in judge.trainable_variables:
        weight.assign(np.array(weight) * scale)  # logits that depend on the latent
    got = gan.evaluate(tiny_batch(), batch_size=2, verbose=0, return_dict=True)
    again = gan.evaluate(tiny_batch(), batch_size=2, verbose=0, return_dict=True)
    assert got["discriminator/fake"] == pytest.approx(-got["generator/adversarial"], rel=1e-6)
    assert got["discriminator/fake"] != pytest.approx(again["discriminator/fake"], rel=1e-4)
    assert got["discriminator/real"] == again["discriminator/real"]
