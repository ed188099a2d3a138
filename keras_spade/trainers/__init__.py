"""The only backend-specific place for training."""

import keras

from keras_spade.trainers.skipped_steps import SkippedSteps as SkippedSteps

if keras.backend.backend() == "tensorflow":
    from keras_spade.trainers.tensorflow import Trainer as Trainer
elif keras.backend.backend() == "torch":
    from keras_spade.trainers.torch import Trainer as Trainer
else:
    from keras_spade.trainers.jax import Trainer as Trainer
