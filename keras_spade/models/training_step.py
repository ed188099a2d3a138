"""The training step: two updates, written once for all backends."""

from dataclasses import dataclass

import keras
from keras import ops

from keras_spade.backends import backend
from keras_spade.models.batch import Batch
from keras_spade.models.objective import Objective
from keras_spade.runs import SkippedSteps


@dataclass(frozen=True)
class TrainingStep:
    """One update of generator and encoder, then one of the discriminator.

    The discriminator sees a new fake from the updated generator. An update with a
    non-finite loss or gradient is skipped.

    Args:
        objective: the losses of both.
        generator_optimizer: of generator and encoder.
        discriminator_optimizer: of the discriminator.
        noise: of the latents.
        skipped_steps: counts the steps with a skipped update.

    Reference: Park et al. 2019 (arXiv 1903.07291), section 4, "Implementation details".
    """

    objective: Objective
    generator_optimizer: keras.optimizers.Optimizer
    discriminator_optimizer: keras.optimizers.Optimizer
    noise: keras.random.SeedGenerator
    skipped_steps: SkippedSteps

    def __call__(self, batch: Batch) -> dict:
        """Makes the step, and returns its weighted losses by name."""
        generator_losses, generator_skipped = self._update(
            self.objective.generator_losses, batch, self.generator_optimizer
        )
        discriminator_losses, discriminator_skipped = self._update(
            self.objective.discriminator_losses, batch, self.discriminator_optimizer
        )
        self.skipped_steps.count(
            ops.logical_or(generator_skipped, discriminator_skipped),
            bad_images=ops.logical_not(ops.all(ops.isfinite(batch.image))),
        )
        return generator_losses | discriminator_losses

    def _update(self, losses, batch, optimizer):
        """Differentiates the losses of one side and updates the weights of its optimizer."""
        networks = self.objective.networks
        return backend.minimize(
            lambda: losses(batch, self.noise, training=True),
            optimizer._trainable_variables,
            optimizer,
            statistics=networks.statistics,
            noise=[self.noise.state],
            reads=networks.variables,
            share=batch.part.share,
        )
