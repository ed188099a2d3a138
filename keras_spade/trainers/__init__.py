"""The only backend-specific place for training."""

import keras

if keras.backend.backend() == "tensorflow":
    from keras_spade.trainers.tensorflow import Trainer as Trainer
else:
    from keras_spade.trainers.untrained import Trainer as Trainer
