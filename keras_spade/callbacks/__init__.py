"""Keras callbacks."""

from keras_spade.callbacks.linear_decay import LinearDecay as LinearDecay
