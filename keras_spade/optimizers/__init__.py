"""The one optimizer Keras has otherwise."""

from keras_spade.optimizers.bias_corrected_adam import BiasCorrectedAdam as BiasCorrectedAdam
