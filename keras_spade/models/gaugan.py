"""The GAN: three networks, their losses, one training step."""

import keras
import numpy as np
from keras import ops

from keras_spade.layers import reparameterize
from keras_spade.losses import AdversarialLoss
from keras_spade.models import _batches, _compiling, _latents
from keras_spade.models._loss_average import LossAverage
from keras_spade.models._saving import Saving
from keras_spade.models._training_step import TrainingStep
from keras_spade.optimizers import AlternatingOptimizers
from keras_spade.trainers import SkippedSteps, Trainer


@keras.saving.register_keras_serializable(package="keras_spade")
class GauGAN(TrainingStep, Saving, Trainer, keras.Model):
    """SPADE generator, multi-scale discriminator and optional style encoder, trained together.

    A training step updates the generator (and encoder) on

        adversarial + feature_matching + perceptual + kl

    and then, with a fresh fake from the updated generator, the discriminator on
    `real + fake`. Fake and real images pass the discriminator as one batch.

    Args:
        generator: a `SPADEGenerator`.
        discriminator: a `MultiScaleDiscriminator` of the same conditioning and image shape.
        encoder: a `StyleEncoder` of the generator's `latent_dim`, or `None`. Without one, a
            generator with a latent draws it from a standard normal.
        seed: of the latents' noise; an int or `None`.

    Call arguments:
        inputs: dict of `"labels"` int32 `(batch, H, W)` (or `"segmap"` float `(batch, H, W, k)`),
            `"instances"` int32 `(batch, H, W)` or `"edges"` if the generator has `instance_edges`,
            and optionally `"latent"` `(batch, latent_dim)` or `"style_image"` float
            `(batch, H, W, 3)` in [-1, 1]; or the labels alone. Other keys are ignored: the real
            `"image"` of a batch does not reach the generator.

    Returns:
        Images `(batch, H, W, 3)`, float32 in [-1, 1].

    Batches for `fit` and `evaluate` are such dicts with `"image"`, float in [-1, 1] or uint8,
    `(batch, H, W, 3)`; a `(labels, image)` tuple is accepted too.

    Raises:
        ValueError: if the networks do not belong together; for batches that lack a key or do not
            fit the networks.
        tf.errors.InvalidArgumentError: for batches with label ids out of range, which only the
            running step can see; no trainable weight has changed then. On JAX and PyTorch it is a
            ValueError.

    Example:

    >>> import numpy as np
    >>> from keras_spade import GauGAN, MultiScaleDiscriminator, SPADEGenerator
    >>> shape = (32, 32, 3)
    >>> gan = GauGAN(
    ...     SPADEGenerator(4, shape, latent_dim=None, base_filters=2),
    ...     MultiScaleDiscriminator(4, shape, base_filters=2),
    ... )
    >>> gan.compile(perceptual_loss=None)
    >>> labels = np.random.randint(0, 4, (2, 32, 32))
    >>> image = np.random.uniform(-1, 1, (2, 32, 32, 3)).astype("float32")
    >>> history = gan.fit({"labels": labels, "image": image}, batch_size=2, verbose=0)
    >>> gan.generate(labels, seed=7).dtype
    dtype('uint8')

    Reference: Park et al. 2019 (arXiv 1903.07291), section 3, section 4 "Implementation details",
    appendix A.
    """

    def __init__(self, generator, discriminator, encoder=None, seed=None, **kwargs):
        super().__init__(**kwargs)
        _batches.check_networks(generator, discriminator, encoder)
        self.generator = generator
        self.discriminator = discriminator
        self.encoder = encoder
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)
        self.skipped_steps = SkippedSteps()
        # In TensorFlow XLA drops the check of label ids, so "auto" must not choose it; on JAX
        # it stands in front of the step.
        self.supports_jit = keras.backend.backend() == "jax"
        self.built = True

    # === Configuration ===

    def compile(
        self,
        generator_optimizer=None,
        discriminator_optimizer=None,
        adversarial_loss="hinge",
        feature_matching_weight=10.0,
        perceptual_loss="vgg19",
        perceptual_weight=10.0,
        kl_weight=0.05,
        kl_reduction="sum",
        max_skipped_steps=10,
        run_eagerly=False,
        jit_compile="auto",
        steps_per_execution=1,
        auto_scale_loss=True,
    ):
        """Sets optimizers and losses; the defaults are the paper's.

        Args:
            generator_optimizer: of generator and encoder. `None`: `BiasCorrectedAdam` with learning
                rate 1e-4, beta_1 0, beta_2 0.9, epsilon 1e-8.
            discriminator_optimizer: `None`: the same with learning rate 4e-4.
            adversarial_loss: a kind of `AdversarialLoss`, or an object called like one.
            feature_matching_weight: factor of `feature_matching_loss`; 0 turns it off.
            perceptual_loss: `"vgg19"` for `PerceptualLoss()`, which needs the ImageNet weights; a
                `PerceptualLoss`; any function of `(fake, real)`; or `None`.
            perceptual_weight: its factor; 0 turns it off.
            kl_weight: factor of `kl_divergence`, with an encoder.
            kl_reduction: `"sum"` over the batch, of all replicas, as in the reference, or `"mean"`.
            max_skipped_steps: a loss or gradient that is not finite does not reach weights and
                statistics: the update is skipped, a warning tells. `fit` stops with an error when
                it happens in this many steps in a row. `None`: never.
            run_eagerly: as in Keras.
            jit_compile: as in Keras on JAX. On TensorFlow XLA is not used, as it leaves out the
                check that label ids are in range, and on PyTorch no compiler: `"auto"` means no,
                and with `True` Keras warns and goes on without.
            steps_per_execution: as in Keras.
            auto_scale_loss: whether the optimizers of networks that compute in float16 are wrapped
                in `keras.optimizers.LossScaleOptimizer`.

        Raises:
            ValueError: for bad arguments, naming them.
            RuntimeError: if the ImageNet weights cannot be had.
        """
        with self.scope():
            generator_optimizer = _compiling.optimizer(
                generator_optimizer, 1e-4, self.generator, auto_scale_loss
            )
            discriminator_optimizer = _compiling.optimizer(
                discriminator_optimizer, 4e-4, self.discriminator, auto_scale_loss
            )
            _compiling.check(
                generator_optimizer,
                discriminator_optimizer,
                adversarial_loss,
                kl_reduction,
                max_skipped_steps,
                feature_matching_weight=feature_matching_weight,
                perceptual_weight=perceptual_weight,
                kl_weight=kl_weight,
            )
            optimizers = {
                "generator_optimizer": generator_optimizer,
                "discriminator_optimizer": discriminator_optimizer,
            }
            _compiling.check_replicas(self.replicas, **optimizers)
            super().compile(
                optimizer=AlternatingOptimizers(**optimizers),
                run_eagerly=run_eagerly,
                jit_compile=jit_compile,
                steps_per_execution=steps_per_execution,
                auto_scale_loss=False,
            )
            self.generator_optimizer = generator_optimizer
            self.discriminator_optimizer = discriminator_optimizer
            if isinstance(adversarial_loss, str):
                adversarial_loss = AdversarialLoss(adversarial_loss)
            self.adversarial_loss = adversarial_loss
            self.feature_matching_weight = feature_matching_weight
            self.perceptual_loss = _compiling.perceptual(perceptual_loss, perceptual_weight)
            self.perceptual_weight = perceptual_weight
            self.kl_weight = kl_weight
            self.kl_reduction = kl_reduction
            self.max_skipped_steps = max_skipped_steps
            self.auto_scale_loss = auto_scale_loss
            self.given_jit_compile = jit_compile
            self.generator_optimizer.build(self.generator_variables)
            self.discriminator_optimizer.build(self.discriminator.trainable_variables)
            self.initial_learning_rates = tuple(
                float(ops.convert_to_numpy(optimizer.learning_rate))
                for optimizer in (self.generator_optimizer, self.discriminator_optimizer)
            )
            self.loss_trackers = [LossAverage(name=name) for name in _compiling.loss_names(self)]
        self.check_variables(
            generator=self.generator.variables,
            discriminator=self.discriminator.variables,
            encoder=[] if self.encoder is None else self.encoder.variables,
            generator_optimizer=generator_optimizer.variables,
            discriminator_optimizer=discriminator_optimizer.variables,
        )

    @property
    def generator_variables(self):
        """What the generator's optimizer trains: the generator's and the encoder's weights."""
        encoder = [] if self.encoder is None else self.encoder.trainable_variables
        return self.generator.trainable_variables + encoder

    @property
    def statistics(self):
        """What forward passes change: moving statistics, and vectors of spectral norms."""
        networks = (self.generator, self.discriminator, self.encoder)
        return [v for n in networks if n is not None for v in n.non_trainable_variables]

    @property
    def metrics(self):
        """The averages of the losses, one each."""
        return list(getattr(self, "loss_trackers", []))

    # === Painting ===

    def call(self, inputs, training=False):
        """Paints label maps."""
        if not isinstance(inputs, dict):
            inputs = {_batches.map_key(self.generator): inputs}
        conditioning = _batches.conditioning_inputs(inputs, self.generator)
        batch = {"conditioning": self.check_labels(conditioning)}
        latent = None
        if inputs.get("style_image") is not None and self.encoder is None:
            raise ValueError("`style_image`: the model has no encoder.")
        if self.generator.latent_dim is not None:
            if inputs.get("latent") is not None:
                latent = ops.convert_to_tensor(inputs["latent"])
            elif inputs.get("style_image") is not None:
                posterior = self.encoder(
                    ops.convert_to_tensor(inputs["style_image"]), training=training
                )
                latent = reparameterize(*posterior, seed=self.seed_generator)
            else:
                latent = self._draw_latent(ops.shape(next(iter(batch["conditioning"].values())))[0])
        return self._paint(batch, latent, training)

    def generate(self, labels, instances=None, style_image=None, latent=None, seed=None):
        """Paints label maps, from arrays to pictures.

        Args:
            labels: integer ids `(batch, H, W)`; with `conditioning="dense"`, the float map
                `(batch, H, W, k)`.
            instances: integer ids `(batch, H, W)`, if the generator has `instance_edges`.
            style_image: the photograph whose style is taken, uint8 or float in [-1, 1],
                `(batch, h, w, 3)` or `(1, h, w, 3)` for all; needs an encoder. The latent is drawn
                from the encoder's posterior.
            latent: `(batch, latent_dim)` or `(1, latent_dim)` for all. Without latent and style,
                it is drawn from a standard normal.
            seed: int; the same seed gives the same latents. `None`: the next from the model's own;
                on several workers, NumPy's.

        Returns:
            uint8 images, `(batch, height, width, 3)`.

        Raises:
            ValueError: naming the argument that does not fit.
        """
        inputs = _batches.checked_arrays(labels, instances, self.generator)
        batch_size = len(inputs[_batches.map_key(self.generator)])
        latent = _latents.given_or_drawn(self, batch_size, style_image, latent, seed)
        if latent is not None:
            inputs["latent"] = latent
        images = ops.convert_to_numpy(self.paint(inputs)).astype("float32")
        return np.clip(np.round((images + 1.0) * 127.5), 0, 255).astype("uint8")
