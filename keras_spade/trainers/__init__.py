"""The only backend-specific place for training."""

import keras

from keras_spade.trainers.skipped_steps import SkippedSteps as SkippedSteps

if keras.backend.backend() == "tensorflow":
    from keras_spade.trainers.tensorflow import Trainer as Trainer
else:
    from keras_spade.trainers.untrained import Trainer as Trainer
