"""The picture of training curves, from short histories and from a trial run."""

import json

import numpy as np
import pytest
from absl.testing import flagsaver
from PIL import Image

from examples.paper import curves
from examples.paper.experiment import folder_of
from examples.paper.options import FLAGS
from examples.paper.variants import Variant


def test_a_row_of_charts_for_each_training(tmp_path):
    rows = [Variant("first"), Variant("second, without KL")]
    folders = [tmp_path / "a", tmp_path / "b"]
    sizes = []
    for folder, kl in zip(folders, ({"generator/kl": [0.1, 0.2]}, {}), strict=True):
        folder.mkdir()
        history = {"steps": 8, "generator/adversarial": [0.1, 0.3], **kl}
        (folder / "history.json").write_text(json.dumps(history))
        np.save(folder / "painted.npy", np.zeros((20, 30, 3), "uint8"))
    for count in (1, 2):
        curves.draw(rows[:count], folders[:count], tmp_path / "curves.png")
        with Image.open(tmp_path / "curves.png") as picture:
            sizes.append(picture.size)
    assert sizes == [(1050, 210), (1050, 420)]  # 15 x 3 inches a row, 70 dots per inch.


@pytest.mark.slow
def test_a_trial_run_trains_only_what_is_missing(tmp_path, capsys):
    def run(*rows):
        with flagsaver.flagsaver():
            only = ",".join(rows)
            FLAGS(["curves", "--quick", f"--run_dir={tmp_path}", f"--only={only}"])
            curves.main([])
        return capsys.readouterr().out

    assert "Training 'healthy'." in run("healthy")
    output = run("healthy", "rate too large")
    assert "'healthy'" not in output and "Training 'rate too large'." in output
    path = folder_of(tmp_path, Variant("rate too large"), 0) / "history.json"
    history = json.loads(path.read_text())
    assert history["steps"] == 2 and np.isfinite(history["generator/feature_matching"]).all()
    with pytest.raises(ValueError, match="no row 'healthier'; rows: .*'collapse'"):
        run("healthier")
