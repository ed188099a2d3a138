"""Whole models."""

from keras_spade.models.gaugan import GauGAN as GauGAN
