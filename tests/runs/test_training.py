import pytest
from support.backends import BACKEND
from support.tiny_gan import tiny_batch, tiny_gan

from keras_spade.datasets import synthetic_scenes
from keras_spade.runs import training

HAPPENS = {"tensorflow": "traced", "jax": "compiled", "torch": None}[BACKEND]


def output_of(capsys, gan, verbose, epochs=1):
    """The output before the first step."""
    data = {"x": tiny_batch(2), "y": None, "batch_size": None, "steps_per_epoch": None}
    validation = {"validation_data": None, "validation_split": 0.0, "validation_steps": None}
    others = {"epochs": epochs, "callbacks": None, "shuffle": True, "initial_epoch": 0}
    with training(gan, verbose=verbose, **data, **validation, **others):
        pass
    return capsys.readouterr().out


def test_the_first_step_is_announced_once_if_anything_is_printed(capsys):
    gan = tiny_gan(run_eagerly=False)
    text = (
        f"The first step is {HAPPENS}, which takes seconds to minutes; those after it are fast.\n"
    )
    assert output_of(capsys, gan, verbose=1, epochs=0) == output_of(capsys, gan, verbose=0) == ""
    for verbose in (1, 2, "auto"):
        gan.compile(perceptual_loss=None)
        assert output_of(capsys, gan, verbose) == ("" if HAPPENS is None else text)
        assert output_of(capsys, gan, verbose) == ""
    gan.compile(perceptual_loss=None, run_eagerly=True)
    assert output_of(capsys, gan, verbose=1) == ""


def test_shuffle_is_not_dropped_beside_a_dataset_that_shuffles():
    gan = tiny_gan()
    with pytest.raises(ValueError, match="`shuffle=False` is for arrays; the dataset shuffles"):
        gan.fit(synthetic_scenes(4, (32, 32), batch_size=2), shuffle=False)
    in_order = synthetic_scenes(4, (32, 32), batch_size=2, shuffle=False)
    gan.fit(in_order, shuffle=False, epochs=0)
