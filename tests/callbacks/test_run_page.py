"""The page of a run: its content, and that it opens from disk."""

import json
import os
import re

import keras
import numpy as np
import pytest
from PIL import Image
from support.backends import BACKEND
from support.browser import check_pictures, opened
from support.tiny_gan import SHAPE, tiny_batch, tiny_gan
from support.tiny_metrics import Scripted

from keras_spade import ClassInfo, GauGAN, StyleEncoder
from keras_spade.callbacks import BackupAndRestore, EvaluateMetrics, RunPage
from keras_spade.callbacks.run_facts import run_facts
from keras_spade.optimizers import BiasCorrectedAdam

BATCH = tiny_batch(3)


class Distance(Scripted):
    """A metric that says what it is not."""

    def protocol(self):
        return {"is_not": "anyone's <b>"}


def train(folder, epochs, numbers=(0.5, float("nan"), 0.25, 0.75), **arguments):
    """Trains for a few epochs; resumes an earlier run."""
    callbacks = [
        EvaluateMetrics(BATCH, Distance(numbers)),
        RunPage(
            BATCH,
            folder / "run",
            monitor="val_distance",
            class_names=("sky", "<i>sea</i>", "<!--<script>"),
            settings={"data": {"where": "</script><b>street</b>"}, "note": "by hand"},
            **arguments,
        ),
        BackupAndRestore(folder / "backup"),
    ]
    gan = tiny_gan(generator_optimizer=BiasCorrectedAdam(0.02))  # Epochs differ visibly.
    kernel = gan.generator.get_layer("conv_img").kernel
    kernel.assign(kernel * 50)  # Untrained pictures are nearly grey.
    gan.fit(BATCH, epochs=epochs, validation_data=BATCH, verbose=0, callbacks=callbacks)
    return gan


def run_of(folder):
    page = (folder / "run" / "run.html").read_text()
    text = re.search(r'<script type="application/json" id="run">(.*?)</script>', page, re.DOTALL)
    assert "<" not in text[1]  # `<!--<script>` would hide the end of the script.
    return json.loads(text[1])


def pictures(folder):
    return sorted(path.name for path in (folder / "run" / "run_pictures").iterdir())


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A run of four epochs, interrupted after two, in the folder of a longer one before."""
    folder = tmp_path_factory.mktemp("page")
    (folder / "run" / "run_pictures").mkdir(parents=True)
    for number in (1, 9):
        Image.new("RGB", (1, 1)).save(folder / "run" / "run_pictures" / f"epoch_{number:04d}.jpg")
    train(folder, 2)
    train(folder, 4, numbers=(0.25, 0.75))
    return folder


def test_the_page_tells_the_whole_run(folder):
    run = run_of(folder)
    assert run["title"] == "run" and (run["epochs"], run["of"]) == (4, 4)
    assert run["numbers"]["val_distance"] == [[1, 0.5], [2, None], [3, 0.25], [4, 0.75]]
    assert run["best"] == {"name": "val_distance", "epoch": 3, "value": 0.25}
    assert len(run["numbers"]["generator/feature_matching"]) == 4
    assert run["protocols"]["val_distance"] == {
        "metric": "Distance",
        "is_not": "anyone's <b>",
        "samples": "3",
        "size": "32 x 32 x 3",
        "void": "none",
        "latent": "standard normal, seed 0",
        "weights": "the model's own",
        "real": "the photographs of the label maps",
    }
    assert run["shown"] == [1, 2, 3, 4]
    assert run["legend"][:2] == [["sky", "#e64545"], ["<i>sea</i>", "#45e674"]]
    assert run["legend"][2][0] == "<!--<script>"
    facts = run["facts"]
    assert facts["data"] == {"where": "</script><b>street</b>"} and facts["note"][""] == "by hand"
    # Weights of losses that are turned off, and of averages that are not kept, would mislead.
    assert facts["losses"] == {
        "adversarial_loss": "AdversarialLoss(kind=hinge)",
        "feature_matching_weight": "10",
        "perceptual_loss": "None",
    }
    assert "ema_momentum" not in facts["generator's optimizer"]
    assert "metrics" not in facts["training"]
    assert facts["generator's optimizer"]["beta_1"] == "0"
    assert facts["generator"]["weights"] == "1,023"
    assert facts["versions"]["keras"] == keras.__version__
    assert facts["versions"]["backend"] == BACKEND and facts["machine"]["cores"] == str(
        os.cpu_count()
    )


def test_a_run_that_begins_anew_has_no_charts_of_the_one_before(folder):
    page = RunPage(BATCH, folder / "run")
    assert page._before(0)[0] == {} and page._before(1)[0]["val_distance"] == [[1, 0.5]]
    assert page._before(1)[1]["val_distance"]["samples"] == "3"


def test_pictures_are_maps_paintings_and_photographs(folder):
    names = [f"epoch_{number:04d}.jpg" for number in (1, 2, 3, 4)]
    assert pictures(folder) == [*names, "labels.png", "real.jpg", "styles.jpg"]
    shown = {
        name: np.asarray(Image.open(folder / "run/run_pictures" / name))
        for name in (*names, "labels.png", "styles.jpg")
    }
    # Three samples of 32 x 32 in a column, with two white lines between them.
    assert shown[names[0]].shape == (3 * 32 + 2 * 2, 32, 3)
    assert (
        shown["labels.png"][34, 0].tolist()
        == [[230, 69, 69], [69, 230, 116], [163, 69, 230]][BATCH["labels"][1, 0, 0]]
    )
    assert shown["styles.jpg"].shape == (100, 4 * 32 + 3 * 2, 3)
    assert shown["styles.jpg"][:, 32:34].min() > 200


def test_the_last_picture_is_what_the_model_paints(folder):
    gan = train(folder, 4)  # It has ended.
    painted = np.concatenate(gan.generate(BATCH["labels"], seed=0)[:, :30]).astype(int)
    away = []
    for number in (1, 2, 3, 4):
        path = folder / f"run/run_pictures/epoch_{number:04d}.jpg"
        shown = np.concatenate([np.asarray(Image.open(path))[i : i + 30] for i in (0, 34, 68)])
        away.append(np.abs(shown - painted).mean())
    assert min(away) == away[3] < 6, "JPEG is off by about 4"


def test_the_epoch_after_which_training_stops_has_a_picture(tmp_path):
    page = RunPage(BATCH, tmp_path / "run", every=10)
    stop = keras.callbacks.EarlyStopping("generator/adversarial", min_delta=1e9, patience=2)
    gan = tiny_gan()
    gan.fit(BATCH, epochs=9, verbose=0, callbacks=[page, stop])
    run = run_of(tmp_path)
    # The first epoch has one, so that the page is not empty.
    assert run["shown"] == [1, 3] and pictures(tmp_path)[:2] == ["epoch_0001.jpg", "epoch_0003.jpg"]
    assert run["epochs"] == 3
    numbers = run["numbers"]["generator/adversarial"]
    logged = gan.history.history["generator/adversarial"]
    assert numbers == [[epoch, pytest.approx(x)] for epoch, x in enumerate(logged, 1)]


def test_bad_arguments(tmp_path):
    for arguments, message in (
        ({"batch": {"labels": BATCH["labels"]}}, "keys 'labels' .* and 'image'"),
        ({"batch": {**BATCH, "image": BATCH["image"] * 9}}, "`image` must be floats"),
        ({"mode": "up"}, '`mode` must be "auto", "min" or "max", got \'up\''),
        ({"every": 0}, "`every` must be at least 1"),
        ({"latents": -1}, "`latents` must be at least 1"),
    ):
        with pytest.raises(ValueError, match=message):
            RunPage(**{"batch": BATCH, "directory": tmp_path, **arguments})


@pytest.mark.slow
def test_the_page_opens_in_chromium(folder, tmp_path):
    with opened(folder / "run" / "run.html") as page:
        assert [size[1:] for size in check_pictures(page)] == [[32, 100]] * 3 + [[134, 100]]
        assert page.locator("#shown").inner_text() == "4 of 4"
        page.locator("#epoch").fill("1")
        assert check_pictures(page)[1][0].endswith("run_pictures/epoch_0002.jpg")
        assert page.locator("svg text.title").first.text_content() == "distance  not a number"
        page.locator("#best").click()
        assert page.locator("#shown").inner_text() == "3 of 4"
        assert page.locator("#best").inner_text() == "best val_distance: 0.25, epoch 3"
        assert "</script><b>street</b>" in page.locator("#facts").inner_text()
        assert page.locator("#not").inner_text() == "distance is not anyone's <b>"
        assert "samples\n3\n" in page.locator("#protocols").inner_text()
        assert page.locator("b, i i").count() == 0
        page.screenshot(path=tmp_path / "page.png", full_page=True)
        tops = page.evaluate("[...document.images].map(i => i.getBoundingClientRect().height)")
    assert max(tops) - min(tops) < 2, "rows of latents are next to those of paintings"


def test_weights_that_are_used_are_told():
    averaging = BiasCorrectedAdam(use_ema=True, ema_momentum=0.75)
    gan = tiny_gan()
    gan = GauGAN(gan.generator, gan.discriminator, StyleEncoder(SHAPE, 2, base_filters=1))
    gan.compile(averaging, perceptual_loss=abs, perceptual_weight=3.0, kl_weight=0.5)
    facts = run_facts(gan, {}, {})
    assert facts["losses"] == {
        "adversarial_loss": "AdversarialLoss(kind=hinge)",
        "feature_matching_weight": "10",
        "perceptual_loss": "abs",
        "perceptual_weight": "3",
        "kl_weight": "0.5",
        "kl_reduction": "sum",
    }
    assert facts["generator's optimizer"]["ema_momentum"] == "0.75"
    assert "ema_momentum" not in facts["discriminator's optimizer"]


def test_the_model_knows_names_and_colours(tmp_path):
    page = RunPage(BATCH, tmp_path)
    page._model = tiny_gan()
    assert page._legend([0, 2]) == [("0", "#e64545"), ("2", "#a345e6")]
    page._model.classes = ClassInfo(("sky", "sea", "sand"), [(1, 2, 3), (0, 0, 0), (255, 0, 16)])
    assert page._legend([0, 2, 3]) == [("sky", "#010203"), ("sand", "#ff0010"), ("3", "#000000")]
    assert "classes" not in run_facts(page._model, {}, {})["generator"]
