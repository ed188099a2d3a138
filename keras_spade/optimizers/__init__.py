"""Optimizers that Keras lacks."""

from keras_spade.optimizers.alternating_optimizers import (
    AlternatingOptimizers as AlternatingOptimizers,
)
from keras_spade.optimizers.bias_corrected_adam import BiasCorrectedAdam as BiasCorrectedAdam
