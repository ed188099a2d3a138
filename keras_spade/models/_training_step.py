"""The training step, written once for all backends."""

import keras
from keras import ops

from keras_spade.layers import reparameterize
from keras_spade.losses import feature_matching_loss, kl_divergence
from keras_spade.models import _batches
from keras_spade.precision import full_precision
from keras_spade.replicas import normal_over_replicas, sum_over_replicas


class TrainingStep:
    """The losses of `GauGAN` and the order of its two updates.

    `minimize`, `without_gradients` and `check_label_range` come from the backend's trainer, and of
    a batch the number of samples on all replicas, `"total"`, and the part of it that is this
    replica's, `"share"`.
    """

    def training_losses(self, batch):
        """Makes one training step, and returns the losses it saw, weighted, by name."""
        generator_losses, generator_skipped = self.minimize(
            lambda: self.generator_losses(batch, training=True),
            self.generator_variables,
            self.generator_optimizer,
            self.statistics,
            batch["share"],
        )
        discriminator_losses, discriminator_skipped = self.minimize(
            lambda: self.discriminator_losses(batch, training=True),
            self.discriminator.trainable_variables,
            self.discriminator_optimizer,
            self.statistics,
            batch["share"],
        )
        self.skipped_steps.count(ops.logical_or(generator_skipped, discriminator_skipped))
        return generator_losses | discriminator_losses

    def evaluation_losses(self, batch):
        """The losses of a batch in inference mode, weighted, by name."""
        return self.generator_losses(batch, training=False) | self.discriminator_losses(
            batch, training=False
        )

    def generator_losses(self, batch, training):
        """The terms of the generator's and encoder's loss, weighted, by name."""
        latent, posterior = self._encode(batch, training)
        fake = self._paint(batch, latent, training)
        fake_outputs, real_outputs = self._judge(batch, fake, training)
        adversarial = self.adversarial_loss(fake_outputs, real=True, for_discriminator=False)
        losses = {"generator/adversarial": adversarial}
        if self.feature_matching_weight:
            matching = feature_matching_loss(fake_outputs, real_outputs)
            losses["generator/feature_matching"] = self.feature_matching_weight * matching
        if self.perceptual_loss is not None:
            distance = self.perceptual_loss(fake, batch["image"])
            losses["generator/perceptual"] = self.perceptual_weight * distance
        if self.encoder is not None:
            divergence = kl_divergence(*posterior, reduction="mean")
            if self.kl_reduction == "sum":
                # Over the global batch: its replicas' shares of this add up to the sum.
                divergence = divergence * ops.cast(batch["total"], divergence.dtype)
            losses["generator/kl"] = self.kl_weight * divergence
        return losses

    def discriminator_losses(self, batch, training):
        """The two terms of the discriminator's loss, by name; the fake is a constant."""
        with self.without_gradients():
            latent, _ = self._encode(batch, training)
            fake = ops.stop_gradient(self._paint(batch, latent, training))
        fake_outputs, real_outputs = self._judge(batch, fake, training)
        return {
            "discriminator/real": self.adversarial_loss(real_outputs, real=True),
            "discriminator/fake": self.adversarial_loss(fake_outputs, real=False),
        }

    def _encode(self, batch, training):
        """A latent for each image of the batch (`None` without), and its posterior."""
        if self.generator.latent_dim is None:
            return None, None
        if self.encoder is None:
            return self._draw_latent(ops.shape(batch["image"])[0]), None
        posterior = self.encoder(batch["image"], training=training)
        return reparameterize(*posterior, seed=self.seed_generator), posterior

    def _draw_latent(self, batch_size):
        shape = (batch_size, self.generator.latent_dim)
        return normal_over_replicas(shape, seed=self.seed_generator)

    def _paint(self, batch, latent, training):
        inputs = dict(batch["conditioning"])
        if latent is not None:
            inputs["latent"] = latent
        return self.generator(inputs, training=training)

    def _judge(self, batch, fake, training):
        """The discriminator's features of the fake and of the real images, passed as one batch."""
        inputs = dict(batch["conditioning"])
        inputs["image"] = ops.concatenate([fake, ops.cast(batch["image"], fake.dtype)])
        scales = self.discriminator(inputs, training=training)
        halves = [[ops.split(feature, 2) for feature in scale] for scale in scales]
        return ([[half[i] for half in scale] for scale in halves] for i in (0, 1))

    def prepare_batch(self, data):
        """A batch as the networks take it, checked: `"conditioning"` (a dict) and `"image"`."""
        batch = _batches.training_batch(data, self.generator)
        return batch | {"conditioning": self.check_labels(batch["conditioning"])}

    def check_batch_labels(self, data):
        """Raises if a batch, as `fit` or `predict` takes it, holds label ids that are no class."""
        x, _, _ = keras.utils.unpack_x_y_sample_weight(data)
        labels = x.get("labels") if isinstance(x, dict) else x
        dtype = str(getattr(labels, "dtype", ""))
        if "int" in dtype and self.generator.conditioning == "labels":
            self.check_labels({"labels": labels})

    def check_labels(self, conditioning):
        """The conditioning inputs, which fail where they are read if a label id is no class."""
        if "labels" not in conditioning:
            return conditioning
        classes = self.generator.num_classes + bool(self.generator.void_class)
        return conditioning | {"labels": self.check_label_range(conditioning["labels"], classes)}

    def track(self, losses, batch, leave_out_bad=False):
        """Adds a batch's losses, as means over all replicas, to the averages; returns these.

        Where bad ones, which are not finite, are left out, an average is of the others; if there
        are no others, it is not a number.
        """
        losses = ops.stack([full_precision(losses[t.name]) for t in self.loss_trackers])
        losses = sum_over_replicas(losses * ops.cast(batch["share"], losses.dtype))
        # Keras adds up the averages of the replicas, which are all the same here.
        size = ops.cast(batch["total"], losses.dtype) / self.replicas
        for tracker, loss in zip(self.loss_trackers, ops.unstack(losses), strict=True):
            if leave_out_bad:
                finite = ops.isfinite(loss)
                loss, weight = ops.where(finite, loss, 0.0), ops.where(finite, size, 0.0)
            else:
                weight = size
            tracker.update_state(loss, sample_weight=weight)
        return {tracker.name: tracker.result() for tracker in self.loss_trackers}
