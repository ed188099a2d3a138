"""Weights of the authors' PyTorch implementation, converted by name in both directions."""

from keras_spade.checkpoints.load_nvlabs_weights import load_nvlabs_weights as load_nvlabs_weights
from keras_spade.checkpoints.nvlabs_weights import nvlabs_weights as nvlabs_weights
