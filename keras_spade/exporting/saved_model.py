"""SavedModel: a folder for TensorFlow, TensorFlow Serving and Keras' `TFSMLayer`."""

import os

import keras

from keras_spade.exporting.painter import Painter

SUFFIX = ""
NEEDS = ("tensorflow",)
INSTALL = "pip install tensorflow"
# All files that TensorFlow writes.
CONTENTS = {"saved_model.pb", "fingerprint.pb", "variables", "assets"}


def check(options: dict) -> None:
    """Raises for unknown options."""
    unknown = set(options) - {"modulation"}
    if unknown:
        raise ValueError(
            f"`export`: format='tf_saved_model' takes `modulation`, not {sorted(unknown)}."
        )


def changes(options: dict) -> dict:
    """Changes to the exported generator: `modulation`, if given."""
    return dict(options)


def write(painter: Painter, path: str | os.PathLike, options: dict) -> None:
    """Writes the folder with the endpoint `serve`, also the signature `serving_default`."""
    archive = keras.export.ExportArchive()
    archive.track(painter.generator)
    archive.add_endpoint("serve", painter.traced())
    archive.write_out(str(path), verbose=False)
