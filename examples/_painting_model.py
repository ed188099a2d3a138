"""Loads the model for scripts that paint, with the averages of its weights."""

from pathlib import Path

from keras_spade import GauGAN, painting

MODEL = (
    "The model that train.py saved, gan.keras; or a preset: a name, a folder, hf://user/repository."
)


def painting_model(path):
    """Loads a model saved by `train.py`, or a preset, and reports which weights it has.

    Returns:
        A `GauGAN` with the averages of the weights, if the generator's optimizer kept any; and
        `"averages"`, `"as in the file"` or `"of the preset"`.
    """
    if not str(path).endswith(".keras"):
        try:
            return GauGAN.from_preset(path), "of the preset"
        except ImportError as error:
            raise ValueError(f"--model={path}: {error}") from error
    if not Path(path).is_file():
        raise ValueError(f"--model={path}: no such file.")
    return painting.load_gan(path)
