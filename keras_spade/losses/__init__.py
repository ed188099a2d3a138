"""The paper's losses, without their weights, which `GauGAN.compile` sets."""

from keras_spade.losses.adversarial import AdversarialLoss as AdversarialLoss
from keras_spade.losses.feature_matching import feature_matching_loss as feature_matching_loss
from keras_spade.losses.kl_divergence import kl_divergence as kl_divergence
from keras_spade.losses.perceptual import PerceptualLoss as PerceptualLoss
