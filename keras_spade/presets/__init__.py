"""Models by name and in folders: reading and writing presets, and the architectures."""

from keras_spade.presets.architectures import PRESETS as PRESETS
from keras_spade.presets.preset import Preset as Preset
from keras_spade.presets.preset import find_preset as find_preset
from keras_spade.presets.save_preset import save_preset as save_preset
