import keras
import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from keras_spade.callbacks import plot_curves


@pytest.fixture
def drawn(monkeypatch):
    """The drawn curves: title -> label -> points."""
    found = {}

    def savefig(figure, path, **kwargs):
        for axis in figure.axes:
            lines = {line.get_label(): np.stack(line.get_data(), 1).tolist() for line in axis.lines}
            found[axis.get_title()] = lines
        original(figure, path, **kwargs)

    original = Figure.savefig
    monkeypatch.setattr(Figure, "savefig", savefig)
    return found


def test_history_and_table_give_the_same_curves(drawn, tmp_path):
    history = keras.callbacks.History()
    history.epoch, history.history = (
        [0, 1, 2, 3],
        {"a/b": [4, 3, 2, 1], "val_a/b": [9, 8], "val_c": [1, 1, 0, 0]},
    )
    plot_curves(history, tmp_path / "curves.png")
    wanted = {
        "a/b": {"training": [[1, 4], [2, 3], [3, 2], [4, 1]], "validation": [[2, 9], [4, 8]]},
        "c": {"validation": [[1, 1], [2, 1], [3, 0], [4, 0]]},
    }
    assert drawn == wanted
    assert np.asarray(Image.open(tmp_path / "curves.png")).shape[:2] == (260, 640)
    drawn.clear()
    # The third epoch was logged, interrupted, and repeated.
    rows = ["epoch,a/b,val_a/b,val_c", "0,4,NA,1", "1,3,9,1", "2,7,NA,7", "2,2,NA,0", "3,1,8,0"]
    (tmp_path / "table.csv").write_text("\n".join(rows))
    plot_curves(tmp_path / "table.csv", tmp_path / "curves.svg")
    assert drawn == wanted and "<svg" in (tmp_path / "curves.svg").read_text()


def test_three_values_of_four_epochs_are_the_last_ones(drawn, tmp_path):
    history = keras.callbacks.History()
    history.epoch, history.history = [0, 1, 2, 3], {"val_d": [3, 2, 1]}
    plot_curves(history, tmp_path / "curves.png")
    assert drawn == {"d": {"validation": [[2, 3], [3, 2], [4, 1]]}}


def test_what_is_no_run_is_refused(tmp_path):
    (tmp_path / "other.csv").write_text("name,size\na,1\n")
    with pytest.raises(ValueError, match="other.csv is not a keras.callbacks.CSVLogger file"):
        plot_curves(tmp_path / "other.csv", tmp_path / "curves.png")
    with pytest.raises(ValueError, match="no epoch has been logged"):
        plot_curves({}, tmp_path / "curves.png")
    assert not (tmp_path / "curves.png").exists()
