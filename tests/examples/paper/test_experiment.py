"""The commands of the paper's tables in a trial run: drawn scenes, two steps each."""

import json

import keras
import numpy as np
import pytest
from absl.testing import flagsaver
from PIL import Image

from examples.paper import discriminators, experiment, options, table_1, table_3, table_4, table_5
from examples.paper.options import FLAGS
from examples.paper.results import Results
from examples.paper.samples import Samples
from keras_spade import datasets

TABLES = {module.TABLE.name: module.TABLE for module in (table_1, table_3, table_4, table_5)}
TABLES["discriminators"] = discriminators.TABLE


def run(table, run_dir, *flags):
    with flagsaver.flagsaver():
        FLAGS([table.name, "--quick", f"--run_dir={run_dir}", *flags])
        table.main([])


def test_rows_of_the_same_name_are_the_same_everywhere():
    definitions = {}
    for table in TABLES.values():
        names = [variant.row for variant in table.rows]
        assert len(set(names)) == len(names) and names[0] == "ours"
        for variant in table.rows:
            definition = json.loads(json.dumps(variant.definition))
            assert definition == variant.definition
            assert definitions.setdefault(variant.row, definition) == definition
    assert not [row for row in definitions if "," in row]  # --only takes a comma-separated list.
    assert len(definitions) == 31
    assert len({json.dumps(definition) for definition in definitions.values()}) == 31


@pytest.mark.slow
def test_a_try_of_table_1_and_what_a_second_call_does(tmp_path, capsys, monkeypatch):
    run(TABLES["table_1"], tmp_path, "--only=CRN")
    text = capsys.readouterr().out
    assert "Table 1: semantic layout prediction" in text
    assert (tmp_path / "table_1.md").read_text() in text
    records = [json.loads(line) for line in (tmp_path / "results.jsonl").read_text().splitlines()]
    assert [record["row"] for record in records] == ["real photographs", "CRN"]
    assert records[1]["steps"] == 2 and set(records[1]["scores"]) == set(experiment.COLUMNS)
    assert all(np.isfinite(list(record["scores"].values())).all() for record in records)
    # 4 maps; the label map, the photograph and one generator side by side, in two rows.
    painted = sorted((tmp_path / "painted/crn_seed_0").glob("*.png"))
    assert [path.stem for path in painted] == ["0000", "0001", "0002", "0003"]
    assert np.asarray(Image.open(painted[0])).shape == (64, 64, 3)
    # Their label maps, for the human study.
    scene = datasets.synthetic_scenes(
        1, first_scene=1_000_000, shuffle=False, batch_size=1, image_size=(64, 64)
    )
    written = np.asarray(Image.open(tmp_path / "painted/labels/0000.png"))
    assert np.array_equal(written, next(scene.as_numpy_iterator())["labels"][0])
    picture = np.asarray(Image.open(tmp_path / "table_1.png"))
    assert picture.shape[1] == 3 * 64 + 2 * 2 and picture.shape[0] > 2 * 64 + 2

    monkeypatch.setattr(experiment, "train", None)  # Nothing is trained again.
    run(TABLES["table_1"], tmp_path, "--only=CRN", "--pictures=1")
    assert (tmp_path / "table_1.md").read_text() in text


def test_what_is_wrong_is_reported_before_training(tmp_path, monkeypatch):
    with flagsaver.flagsaver():
        FLAGS(["table_1", "--quick"])
        options.apply_quick()
        Results(tmp_path / "results.jsonl", options.settings(0.1, options.data_settings())).add(
            row=experiment.REAL, definition={}, seed=None, scores={}
        )
    monkeypatch.setattr(experiment.Judge, "make", None)
    with pytest.raises(ValueError, match="--minutes=20.0 before, 3.0 now, --perceptual_weight"):
        run(TABLES["table_1"], tmp_path, "--only=CRN", "--minutes=3")
    # Without weights of VGG16 there is no perceptual loss.
    with pytest.raises(ValueError, match="--perceptual_weight=0.1 before, 0.0 now"):
        run(TABLES["table_1"], tmp_path, "--only=CRN")
    with pytest.raises(ValueError, match="--perceptual_weight=7 needs --vgg16"):
        run(TABLES["table_1"], tmp_path, "--only=CRN", "--perceptual_weight=7")
    with pytest.raises(ValueError, match="--vgg16=absent.h5: no such file. Pass a file of Keras'"):
        run(TABLES["table_1"], tmp_path, "--only=CRN", "--vgg16=absent.h5")
    with pytest.raises(ValueError, match="no row 'GRN'; rows: .*'pix2pix'"):
        run(TABLES["table_1"], tmp_path, "--only=GRN")
    with pytest.raises(ValueError, match="--seeds=1,a: expected integers"):
        run(TABLES["table_1"], tmp_path, "--only=CRN", "--seeds=1,a")
    with pytest.raises(ValueError, match="--seeds=: expected integers"):
        run(TABLES["table_1"], tmp_path, "--only=CRN", "--seeds=")


@pytest.mark.slow
@pytest.mark.parametrize("batches", [2, 0])
def test_rates_and_statistics_of_painting(batches, tmp_path):
    flags = ("--only=ours", "--rate=3e-4", "--discriminator_rate=5e-4", f"--calibrate={batches}")
    run(TABLES["table_1"], tmp_path, *flags)
    gan = keras.saving.load_model(tmp_path / "painted/ours_seed_0/gan.keras")
    optimizers = gan.generator_optimizer, gan.discriminator_optimizer
    assert [float(one.learning_rate) for one in optimizers] == pytest.approx([3e-4, 5e-4])
    moving = [w for w in gan.generator.weights if w.name == "moving_variance"]
    painted_with = [np.array(w) for w in moving]
    with flagsaver.flagsaver():
        FLAGS(["table_1", "--quick"])
        options.apply_quick()
        gan.calibrate(Samples.load().training, 2, seed=0, verbose=0)
    kept = [np.allclose(old, w, rtol=1e-5) for old, w in zip(painted_with, moving, strict=True)]
    assert len(kept) > 10 and all(kept) == bool(batches)


@pytest.mark.slow
@pytest.mark.parametrize("name", TABLES)
def test_a_try_of_all_rows(name, tmp_path):
    run(TABLES[name], tmp_path)
    text = (tmp_path / f"{name}.md").read_text()
    for variant in TABLES[name].rows:
        (line,) = (line for line in text.splitlines() if line.startswith(f"| {variant.row} |"))
        assert line.split(" | ")[-3:-1] != ["-", "-"] and line.endswith("| 1 |")
