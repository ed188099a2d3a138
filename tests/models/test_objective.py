"""The losses of both sides."""

import pytest
from support.harness import randomize
from support.tiny_gan import tiny_batch, tiny_gan


def test_evaluation_judges_one_fake():
    """By Wasserstein losses: `-D(fake)` of the generator, `D(fake)` of the discriminator."""
    gan = tiny_gan(latent_dim=2, adversarial_loss="wasserstein")
    randomize(gan.generator, scale=1.0)  # so that the logits depend on the latent
    randomize(gan.discriminator)
    got = gan.evaluate(tiny_batch(), batch_size=2, verbose=0, return_dict=True)
    again = gan.evaluate(tiny_batch(), batch_size=2, verbose=0, return_dict=True)
    assert got["discriminator/fake"] == pytest.approx(-got["generator/adversarial"], rel=1e-6)
    assert got["discriminator/fake"] != pytest.approx(again["discriminator/fake"], rel=1e-4)
    assert got["discriminator/real"] == again["discriminator/real"]
