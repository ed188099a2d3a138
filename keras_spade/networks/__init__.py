"""The three networks, each a functional model inside a class, and base classes for your own."""

from keras_spade.networks.conditioning import Conditioning as Conditioning
from keras_spade.networks.generator import Generator as Generator
from keras_spade.networks.multi_scale_discriminator import (
    MultiScaleDiscriminator as MultiScaleDiscriminator,
)
from keras_spade.networks.spade_generator import SPADEGenerator as SPADEGenerator
from keras_spade.networks.style_encoder import StyleEncoder as StyleEncoder
