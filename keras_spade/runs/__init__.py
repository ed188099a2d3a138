"""Support for long trainings: resuming, streams of data, skipped steps."""

from keras_spade.datasets.data_errors import telling_data_errors as telling_data_errors
from keras_spade.runs.classes_of import classes_of as classes_of
from keras_spade.runs.skipped_steps import SkippedSteps as SkippedSteps
from keras_spade.runs.streams import evaluation_data as evaluation_data
from keras_spade.runs.training import training as training
