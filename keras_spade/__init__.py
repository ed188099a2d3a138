"""SPADE (GauGAN) for Keras 3: semantic image synthesis with spatially-adaptive normalization."""

import os
import sys

# The only work at import, as TensorFlow reads this while Keras imports it: no messages about the
# instructions of the CPU and oneDNN. Warnings and errors stay.
if "tensorflow" not in sys.modules:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "1")

from keras_spade import callbacks as callbacks
from keras_spade import checkpoints as checkpoints
from keras_spade import datasets as datasets
from keras_spade import files as files
from keras_spade import images as images
from keras_spade import layers as layers
from keras_spade import losses as losses
from keras_spade import metrics as metrics
from keras_spade import optimizers as optimizers
from keras_spade import painting as painting
from keras_spade.class_info import ClassInfo as ClassInfo
from keras_spade.layers import SPADE as SPADE
from keras_spade.layers import SPADEResBlock as SPADEResBlock
from keras_spade.layers import SpectralNorm as SpectralNorm
from keras_spade.models import GauGAN as GauGAN
from keras_spade.networks import MultiScaleDiscriminator as MultiScaleDiscriminator
from keras_spade.networks import SPADEGenerator as SPADEGenerator
from keras_spade.networks import StyleEncoder as StyleEncoder
from keras_spade.version import __version__ as __version__
