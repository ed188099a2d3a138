"""The GAN: three networks, their losses, one training step."""

import functools
from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import ArrayLike

from keras_spade.backends import backend
from keras_spade.images import to_bytes
from keras_spade.models import compiling
from keras_spade.models.batch import conditioning_inputs, label_maps, map_key, with_checked_ids
from keras_spade.models.fitting import Fitting
from keras_spade.models.gan_networks import GanNetworks
from keras_spade.models.loss_average import LossAverage
from keras_spade.models.objective import Objective
from keras_spade.models.painting import (
    checked_maps,
    given_or_drawn_latent,
    inference,
    latent_of_call,
)
from keras_spade.models.training_step import TrainingStep
from keras_spade.networks import Generator, MultiScaleDiscriminator, StyleEncoder
from keras_spade.optimizers import AlternatingOptimizers
from keras_spade.runs import SkippedSteps
from keras_spade.tensor import Tensor


def _of(part, name):
    """An argument of `compile` stored in a part of the model; to change it, compile again."""
    return property(lambda gan: getattr(getattr(gan, part), name), doc=f"`{name}` of `compile`.")


@keras.saving.register_keras_serializable(package="keras_spade")
class GauGAN(Fitting):
    """SPADE generator, multi-scale discriminator and optional style encoder, trained together.

    A training step updates the generator (and encoder) on

        adversarial + feature_matching + perceptual + kl

    and then, with a new fake from the updated generator, the discriminator on
    `real + fake`. Fake and real images pass through the discriminator as one batch.

    Args:
        generator: a `SPADEGenerator`, or another `keras_spade.networks.Generator`.
        discriminator: a `MultiScaleDiscriminator` of the same conditioning and image shape.
        encoder: a `StyleEncoder` of the generator's `latent_dim`, or `None`. Without one, the
            latent of a generator that has one is drawn from a standard normal.
        seed: of the latents' noise; an int or `None`.
        trainable: `False` freezes the networks.

    Call arguments:
        inputs: dict of `"labels"` int32 `(batch, H, W)` (or `"segmap"` float `(batch, H, W, k)`),
            `"instances"` int32 `(batch, H, W)` or `"edges"` if the generator has `instance_edges`,
            and optionally `"latent"` `(batch, latent_dim)` or `"style_image"`
            `(batch, h, w, channels)`, float in [-1, 1] or uint8; or the labels alone. Maps and
            photographs may have any size: they are resized as in the datasets, and instance edges
            are computed after that. Other keys are ignored: the real `"image"` of a batch does not
            reach the generator.

    Returns:
        Images `(batch, H, W, channels)`, float32 in [-1, 1].

    Batches for `fit` and `evaluate` are such dicts with `"image"`, float in [-1, 1] or uint8,
    `(batch, H, W, channels)`; a `(labels, image)` tuple is accepted too.

    Raises:
        ValueError: if the networks do not fit together; for batches that lack a key or do not
            fit the networks, and for images that are neither uint8 nor in [-1, 1]; for label ids
            out of range, which are only detected during the step: no trainable weight is changed
            then. (On TensorFlow, calling the model itself raises `tf.errors.InvalidArgumentError`
            for them.)

    Example:

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

    def __init__(
        self,
        generator: Generator,
        discriminator: MultiScaleDiscriminator,
        encoder: StyleEncoder | None = None,
        seed: int | None = None,
        trainable: bool = True,
        **kwargs: Any,
    ):
        dtype = kwargs.pop("dtype", None)
        if dtype is not None:
            raise ValueError(
                f"`dtype`: a GauGAN computes in the dtypes of its networks; pass {dtype!r} to them."
            )
        super().__init__(**kwargs)
        GanNetworks(generator, discriminator, encoder)  # This checks that they fit together.
        self.generator = generator
        self.discriminator = discriminator
        self.encoder = encoder
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)
        self.skipped_steps = SkippedSteps()
        self.supports_jit = backend.COMPILES_STEPS
        self.built = True
        if not trainable:  # Here, so that the networks are frozen too.
            self.trainable = False
        self.loss_trackers, self.loop_steps, self._inference = [], {}, None
        self.swaps, self.loaded_swapped, self.statistics_of_averages = (), False, None

    # === Configuration ===

    def compile(
        self,
        generator_optimizer: keras.optimizers.Optimizer | str | None = None,
        discriminator_optimizer: keras.optimizers.Optimizer | str | None = None,
        adversarial_loss: str | Callable = "hinge",
        feature_matching_weight: float = 10.0,
        perceptual_loss: str | Callable | None = "vgg19",
        perceptual_weight: float | None = None,
        kl_weight: float = 0.05,
        kl_reduction: str = "sum",
        max_skipped_steps: int | None = 10,
        run_eagerly: bool = False,
        jit_compile: bool | str = "auto",
        steps_per_execution: int = 1,
        auto_scale_loss: bool = True,
        **kwargs: Any,
    ) -> None:
        """Sets optimizers and losses; the defaults are the paper's.

        Args:
            generator_optimizer: of generator and encoder. `None`: `BiasCorrectedAdam` with learning
                rate 1e-4, beta_1 0, beta_2 0.9, epsilon 1e-8.
            discriminator_optimizer: `None`: the same with learning rate 4e-4.
            adversarial_loss: a kind of `AdversarialLoss`, or an object with its call signature.
            feature_matching_weight: factor of `feature_matching_loss`; 0 turns it off.
            perceptual_loss: `"vgg19"` for `PerceptualLoss()`, which needs the ImageNet weights; a
                `PerceptualLoss`, for images with 3 channels or 1; any function of `(fake, real)`;
                or `None`.
            perceptual_weight: its factor; 0 turns it off. `None`: so that its share is as in
                the paper: `perceptual_loss.paper_weight`, or 10 for a function.
            kl_weight: factor of `kl_divergence`, with an encoder.
            kl_reduction: `"sum"` over the batch, of all replicas, as in the reference, or `"mean"`.
            max_skipped_steps: an update with a non-finite loss or gradient is skipped, with a
                warning, and changes neither weights nor statistics. `fit` stops with an error after
                this many such steps in a row. `None`: never.
            run_eagerly: as in Keras.
            jit_compile: as in Keras. TensorFlow does not use XLA, and with `True` warns, under any
                `tf.distribute` strategy or with `modulation="patterns"`. PyTorch compiles nothing.
            steps_per_execution: as in Keras.
            auto_scale_loss: whether the optimizers of networks that compute in float16 are wrapped
                in `keras.optimizers.LossScaleOptimizer`.
            **kwargs: refused; for those of Keras, such as `metrics`, an error names alternatives.

        Raises:
            ValueError: for bad arguments, naming them.
            RuntimeError: if the ImageNet weights are unavailable.
        """
        compiling.check(
            kwargs,
            max_skipped_steps,
            kl_reduction,
            feature_matching_weight=feature_matching_weight,
            perceptual_weight=perceptual_weight,
            kl_weight=kl_weight,
        )
        with backend.scope(self):
            both = compiling.optimizers(
                self.networks, generator_optimizer, discriminator_optimizer, auto_scale_loss
            )
            compiling.check_replicas(self.replicas, both)
            objective = Objective(
                self.networks,
                adversarial_loss=compiling.adversarial(adversarial_loss),
                feature_matching_weight=feature_matching_weight,
                **compiling.perceptual(
                    perceptual_loss, perceptual_weight, self.generator.image_shape
                ),
                kl_weight=kl_weight,
                kl_reduction=kl_reduction,
            )
            super().compile(
                optimizer=AlternatingOptimizers(**both),
                run_eagerly=run_eagerly,
                jit_compile=jit_compile,
                steps_per_execution=steps_per_execution,
                auto_scale_loss=False,
            )
            compiling.build(**both, networks=self)
            self.objective = objective
            self.training_step = TrainingStep(
                objective, **both, noise=self.seed_generator, skipped_steps=self.skipped_steps
            )
            self.max_skipped_steps = max_skipped_steps
            self.auto_scale_loss = auto_scale_loss
            self.given_jit_compile = jit_compile
            self.initial_learning_rates = compiling.learning_rates(**both)
            self.loss_trackers = [LossAverage(name=name) for name in objective.loss_names]
            self._inference = self.statistics_of_averages = None
        compiling.check_variables(self, both)

    generator_optimizer = _of("training_step", "generator_optimizer")
    discriminator_optimizer = _of("training_step", "discriminator_optimizer")
    adversarial_loss = _of("objective", "adversarial_loss")
    feature_matching_weight = _of("objective", "feature_matching_weight")
    perceptual_loss = _of("objective", "perceptual_loss")
    perceptual_weight = _of("objective", "perceptual_weight")
    kl_weight = _of("objective", "kl_weight")
    kl_reduction = _of("objective", "kl_reduction")

    @property
    def networks(self) -> GanNetworks:
        """The three networks together."""
        return GanNetworks(self.generator, self.discriminator, self.encoder)

    # === Painting ===

    def call(self, inputs, training=False):
        """Paints label maps."""
        if not isinstance(inputs, dict):
            inputs = {map_key(self.generator): inputs}
        maps = with_checked_ids(label_maps(inputs, self.generator), self.generator)
        conditioning = conditioning_inputs(maps, self.generator)
        latent, conditioning = latent_of_call(
            self.networks, inputs, conditioning, self.seed_generator, training
        )
        inputs = conditioning, latent, training
        return backend.compiled(self, lambda: self.networks.paint(*inputs), conditioning)

    def paint_checked(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """Paints label maps whose ids have been checked, as in `generate`.

        With several workers, a single worker may call it.

        Args:
            inputs: dict as in a call, including the latent if the generator has one.

        Returns:
            Images `(batch, H, W, channels)`, float32 in [-1, 1].
        """
        if self._inference is None:
            paint = functools.partial(inference, self.networks)
            self._inference = backend.inference(self, paint, self.generator.variables)
        return self._inference(self.generator.with_patterns(inputs))

    def generate(
        self,
        labels: ArrayLike,
        instances: ArrayLike | None = None,
        style_image: ArrayLike | None = None,
        latent: ArrayLike | None = None,
        seed: int | None = None,
    ) -> np.ndarray:
        """Paints arrays of label maps and returns pictures.

        Maps and photographs may have any size: they are first resized to `image_shape`, as in
        `keras_spade.datasets` (`resize="stretch"`); instance edges are computed after that.

        Args:
            labels: integer ids `(batch, H, W)`; with `conditioning="dense"`, the float map
                `(batch, H, W, k)`.
            instances: integer ids `(batch, H, W)`, if the generator has `instance_edges`.
            style_image: the photograph whose style to use, uint8 or float in [-1, 1],
                `(batch, h, w, channels)` or `(1, h, w, channels)` for all; needs an encoder. The
                latent is drawn from the encoder's posterior.
            latent: `(batch, latent_dim)` or `(1, latent_dim)` for all. Without latent and style,
                it is drawn from a standard normal.
            seed: equal ints give equal latents; `None`: the model's, or NumPy's on several workers.

        Returns:
            uint8 images, `(batch, height, width, channels)`.

        Raises:
            ValueError: naming the invalid argument.
        """
        inputs = checked_maps(labels, instances, self.generator)
        batch_size = len(inputs[map_key(self.generator)])
        if seed is None and self.workers == 1:
            seed = self.seed_generator
        latent = given_or_drawn_latent(self.networks, batch_size, style_image, latent, seed)
        if latent is not None:
            inputs["latent"] = latent
        return to_bytes(ops.convert_to_numpy(self.paint_checked(inputs)).astype("float32"))
