"""Keras layers, written only with `keras.ops` so that they run on every backend."""

from keras_spade.layers.feature_norm import FeatureNorm as FeatureNorm
from keras_spade.layers.half_pool import HalfPool as HalfPool
from keras_spade.layers.initializers import xavier_normal as xavier_normal
from keras_spade.layers.label_conv2d import LabelConv2D as LabelConv2D
from keras_spade.layers.reparameterize import reparameterize as reparameterize
from keras_spade.layers.repeat_maps import RepeatMaps as RepeatMaps
from keras_spade.layers.small_map_conv2d import SmallMapConv2D as SmallMapConv2D
from keras_spade.layers.spade import SPADE as SPADE
from keras_spade.layers.spade_resblock import SPADEResBlock as SPADEResBlock
from keras_spade.layers.spectral_norm import SpectralNorm as SpectralNorm
from keras_spade.segmaps import ConditioningMap as ConditioningMap
from keras_spade.segmaps import LabelPatterns as LabelPatterns
from keras_spade.segmaps import distinct_windows as distinct_windows
from keras_spade.segmaps import encode_labels as encode_labels
from keras_spade.segmaps import instance_edges as instance_edges
from keras_spade.segmaps import nearest_resize as nearest_resize
