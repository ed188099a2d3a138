"""The script that `other_process` runs: `python -m keras_spade.exporting GENERATOR ARGUMENTS`."""

import json
import sys

import keras

from keras_spade.exporting import Export


def main(file: str, arguments: str) -> None:
    """Loads the generator and writes it."""
    generator = keras.models.load_model(file, compile=False)
    Export(**json.loads(arguments), verbose=False).write(generator)


if __name__ == "__main__":
    main(*sys.argv[1:])
