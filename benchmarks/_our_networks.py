"""Our networks as the benchmarks build them, on any backend. Imported by workers only."""

from keras_spade import GauGAN, MultiScaleDiscriminator, SPADEGenerator, StyleEncoder


def make_generator(settings, modulation):
    """The generator."""
    return SPADEGenerator(
        **_conditioning(settings, modulation),
        latent_dim=settings.latent_dim,
        base_filters=settings.base_filters,
        hidden_filters=settings.hidden_filters,
    )


def make_gan(generator, settings, modulation):
    """The three networks, the encoder if there is a latent, compiled without perceptual loss."""
    conditioning = _conditioning(settings, modulation)
    discriminator = MultiScaleDiscriminator(**conditioning, base_filters=settings.base_filters)
    encoder = None
    if settings.latent_dim is not None:
        shape, latent_dim = conditioning["image_shape"], settings.latent_dim
        encoder = StyleEncoder(shape, latent_dim, settings.base_filters, resize_to=None)
    gan = GauGAN(generator, discriminator, encoder, seed=0)
    gan.compile(perceptual_loss=None)
    return gan


def _conditioning(settings, modulation):
    return {
        "num_classes": settings.num_classes,
        "image_shape": (settings.height, settings.width, 3),
        "void_class": settings.void_class,
        "instance_edges": settings.instance_edges,
        "modulation": modulation,
    }
