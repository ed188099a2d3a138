"""The picture of training curves, from short histories and from a trial run."""

import json

import numpy as np
import pytest
from absl.testing import flagsaver
from PIL import Image

from examples.paper import curves, options
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


def test_losses_of_single_steps_from_keras_running_means():
    losses = curves.StepLosses()
    for epoch in ([4.0, 2.0, 6.0], [1.0, 5.0]):
        for batch in range(len(epoch)):
            losses.on_train_batch_end(
                batch, {"generator/kl": np.float32(epoch[: batch + 1]).mean()}
            )
    assert losses.values["generator/kl"] == pytest.approx([4, 2, 6, 1, 5], abs=1e-5)


def test_a_point_of_a_curve_is_a_mean_of_steps():
    steps, means = curves.smoothed([*range(90), 1000, 1000])
    assert steps.tolist() == [3 * i for i in range(1, 31)]
    assert means.tolist() == [1 + 3 * i for i in range(30)]  # Of 0, 1, 2 and so on.
    steps, means = curves.smoothed([7.0, 9.0])
    assert (steps.tolist(), means.tolist()) == ([1, 2], [7, 9])


def redraw(run_dir, *flags):
    with flagsaver.flagsaver():
        FLAGS(["curves", "--quick", f"--run_dir={run_dir}", "--only=healthy", *flags])
        curves.main([])


def write_history(run_dir, **changes):
    """Writes the files of the training of `redraw`."""
    (healthy, rates), *_ = curves.ROWS
    with flagsaver.flagsaver():
        FLAGS(["curves", "--quick"])
        options.apply_quick()
        settings = curves.settings_of({"perceptual_weight": 0.0})
    definition = {**healthy.definition, "rates": list(rates)}
    history = {"settings": settings, "definition": definition, "steps": 2, **changes}
    folder = run_dir / "painted/healthy_seed_0"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "history.json").write_text(json.dumps({"generator/kl": [0.1, 0.2], **history}))
    np.save(folder / "painted.npy", np.zeros((20, 30, 3), "uint8"))
    return history


def test_a_picture_is_drawn_again_without_reading_data(tmp_path, monkeypatch):
    monkeypatch.setattr(curves.Samples, "load", None)
    write_history(tmp_path)
    # These rows have no segmenter, and paint with moving averages.
    redraw(tmp_path, "--calibrate=3", "--segmenter_minutes=2")
    with Image.open(tmp_path / "curves.png") as picture:
        assert picture.size == (1050, 210)


def test_trainings_of_other_settings_are_refused_before_data_are_read(tmp_path, monkeypatch):
    monkeypatch.setattr(curves.Samples, "load", None)
    history = write_history(tmp_path)
    message = (
        r"healthy_seed_0/history.json holds results with other settings \(--minutes=20.0 before, "
        r"3.0 now\). Choose another --run_dir."
    )
    # "rate too large" has not been trained; nothing is trained before the refusal.
    with pytest.raises(ValueError, match=message):
        redraw(tmp_path, "--minutes=3", "--only=healthy,rate too large")
    write_history(tmp_path, settings={**history["settings"], "perceptual_weight": 3.5})
    with pytest.raises(ValueError, match="--perceptual_weight=3.5 before, 0.0 now"):
        redraw(tmp_path)
    write_history(tmp_path, definition={**history["definition"], "rates": [1.0, 2.0]})
    with pytest.raises(ValueError, match=r"'healthy' was .*\[1.0, 2.0\].* there, and is .*0.0004"):
        redraw(tmp_path)
    (tmp_path / "painted/healthy_seed_0/history.json").write_text(json.dumps({"steps": 2}))
    with pytest.raises(ValueError, match="history.json names no settings: it is older"):
        redraw(tmp_path)
    assert not (tmp_path / "curves.png").exists()


@pytest.mark.parametrize(
    "flag, message",
    [
        ("--seeds=0,1", "--seeds=0,1: expected one seed"),
        ("--seeds=", "--seeds=: expected integers"),
        ("--rate=1e-3", "--rate is not used: each row has its own rates"),
        ("--discriminator_rate=1e-3", "--discriminator_rate is not used"),
    ],
)
def test_flags_that_would_be_ignored_are_refused(flag, message, tmp_path, monkeypatch):
    monkeypatch.setattr(curves.Samples, "load", None)
    with pytest.raises(ValueError, match=message):
        redraw(tmp_path, flag)


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
    assert history["definition"]["rates"] == [1e-1, 4e-4]
    assert history["settings"]["base_filters"] == 2 and history["settings"]["data"] == "scenes"
    with pytest.raises(ValueError, match="no row 'healthier'; rows: .*'collapse'"):
        run("healthier")
