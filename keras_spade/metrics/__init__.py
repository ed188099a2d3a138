"""Measures of painted pictures, based on features, a segmenter or pairs of pictures."""

from keras_spade.metrics.diversity import Diversity as Diversity
from keras_spade.metrics.frechet_distance import FrechetDistance as FrechetDistance
from keras_spade.metrics.kernel_distance import KernelDistance as KernelDistance
from keras_spade.metrics.perceptual_distance import PerceptualDistance as PerceptualDistance
from keras_spade.metrics.segmentation_consistency import (
    SegmentationConsistency as SegmentationConsistency,
)
from keras_spade.metrics.vgg16_features import VGG16Features as VGG16Features
