"""The example scripts, as a user runs them."""

import csv
import hashlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import h5py
import keras
import numpy as np
import pytest
from PIL import Image
from support.tiny_gan import tiny_batch, tiny_gan
from support.training_processes import free_ports

import keras_spade  # noqa: F401 - registers GauGAN with Keras.
from examples import _errors
from examples._losses_file import LossesFile
from examples._painting_model import painting_model

ROOT = Path(__file__).resolve().parents[2]


def run(script, *flags, check=True):
    command = [sys.executable, f"examples/{script}", *flags]
    return subprocess.run(
        command, check=check, capture_output=True, text=True, cwd=ROOT, timeout=600
    )


def outputs_of(script, cases, **environment):
    """The outcomes of a script for several lists of flags, run in turn in one process."""
    command = [sys.executable, str(ROOT / "tests/processes/run_script.py"), script]
    result = subprocess.run(
        command,
        input=json.dumps(cases),
        check=True,
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        timeout=600,
    )
    return json.loads(result.stdout.splitlines()[-1])


def check_messages(script, cases, *good, **environment):
    """Checks that bad flags give one line with the expected text, and `good` ones succeed."""
    outputs = outputs_of(script, [*(flags for flags, _ in cases), *good], **environment)
    assert [code for code in outputs[len(cases) :] if code] == []
    for (flags, wanted), text in zip(cases, outputs, strict=False):
        assert wanted in str(text), (flags, text)
        assert text.startswith(f"examples/{script}.py: ") and "\n" not in text, text


@pytest.fixture
def street(tmp_path):
    """Five photographs and label maps with void 255, and instances."""
    rng = np.random.default_rng(0)
    for folder in ("images", "labels", "instances"):
        (tmp_path / "street" / folder).mkdir(parents=True)
    for i in range(5):
        labels = np.kron(rng.integers(0, 4, (6, 8)), np.ones((8, 8))).astype("uint8")
        labels[:4] = 255
        image = (labels[..., None] // np.array([1, 2, 3]) * 40).astype("uint8")
        Image.fromarray(labels).save(tmp_path / "street" / "labels" / f"{i}.png")
        Image.fromarray(labels * 2).save(tmp_path / "street" / "instances" / f"{i}.png")
        Image.fromarray(image).save(tmp_path / "street" / "images" / f"{i}.jpg")
    return tmp_path / "street"


SMALL = ("--base_filters=2", "--hidden_filters=4", "--discriminator_filters=2", "--epochs=2")


@pytest.mark.slow
def test_own_folders_from_training_to_pictures(street, tmp_path):
    out = tmp_path / "run"
    run(
        "train.py",
        f"--data={street}",
        f"--run_dir={out}",
        "--num_classes=4",
        "--void_class",
        "--instance_edges",
        "--image_size=32,64",
        "--load_size=40,72",
        "--validation_split=0.3",  # Among the names 0 to 4, this selects 4.
        "--batch_size=2",
        "--encoder",
        "--latent_dim=4",
        "--encoder_filters=2",
        *SMALL,
    )
    rows = list(csv.DictReader((out / "losses.csv").read_text().splitlines()))
    assert [row["epoch"] for row in rows] == ["0", "1"]
    assert {"generator/kl", "discriminator/real"} <= set(rows[0])
    values = [value for row in rows for name, value in row.items() if not name.startswith("val_")]
    assert len(values) == 12 and all(np.isfinite(float(value)) for value in values)
    stored = json.loads((out / "flags.json").read_text())
    assert (stored["num_classes"], stored["load_size"]) == (4, ["40", "72"])
    files = {path.name for path in out.iterdir()}
    assert {"epoch_0001.png", "epoch_0002.png", "losses.png", "gan.keras", "run.html"} <= files

    painted = tmp_path / "painted"
    assert {"val_discriminator/real", "val_generator/kl"} <= set(rows[0])
    flags = (f"--model={out / 'gan.keras'}", f"--labels={street / 'labels'}", f"--out={painted}")
    flags += ("--precision=float32",)
    run("generate.py", *flags, f"--instances={street / 'instances'}", "--batch_size=2")
    pictures = sorted(painted.iterdir())
    assert [path.name for path in pictures] == [f"{i}.png" for i in range(5)]
    assert all(np.asarray(Image.open(path)).shape == (32, 64, 3) for path in pictures)

    # The script paints the same as `generate` from the same files.
    photograph = f"--style={street / 'images/0.jpg'}"
    run("generate.py", *flags, f"--instances={street / 'instances'}", "--batch_size=1", photograph)
    gan = keras.models.load_model(out / "gan.keras", compile=False)
    labels = np.asarray(Image.open(street / "labels/0.png"))
    wanted = gan.generate(
        np.where(labels == 255, 4, labels)[None],
        np.asarray(Image.open(street / "instances/0.png"))[None],
        style_image=np.asarray(Image.open(street / "images/0.jpg"))[None],
        seed=0,
    )
    picture = np.asarray(Image.open(painted / "0.png")).astype(int)
    assert np.abs(picture - wanted[0]).max() <= 1

    wrong = f"--instances={street / 'instances'}", "--void_label=9"
    cases = [
        (flags, "--instances is needed"),
        ([*flags, *wrong], "0.png: label ids out of range: 255"),
    ]
    check_messages("generate", cases)


@pytest.mark.slow
def test_a_public_dataset_from_training_to_pictures(tmp_path):
    rng = np.random.default_rng(0)
    ids = {}
    for part, count in (("training", 4), ("validation", 3)):
        for folder in ("images", "annotations"):
            (tmp_path / "ade" / folder / part).mkdir(parents=True)
        for i in range(count):
            name = f"ADE_{part}_{i}"
            ids[name] = np.kron(rng.integers(0, 151, (4, 8)), np.ones((8, 8))).astype("uint8")
            image = ids[name][..., None] // np.array([1, 2, 3], "uint8")
            Image.fromarray(ids[name]).save(tmp_path / f"ade/annotations/{part}/{name}.png")
            Image.fromarray(image).save(tmp_path / f"ade/images/{part}/{name}.jpg")
    counting = "--data_options={'counting': 'unshifted'}"
    ade = (
        "--dataset=ade20k",
        counting,
        f"--run_dir={tmp_path / 'run'}",
        f"--data={tmp_path / 'ade'}",
    )
    flags = ("--validation_split=val", "--image_size=32,64", "--batch_size=2", *SMALL)
    run("train.py", *ade, *flags, "--epochs=1")
    rows = list(csv.DictReader((tmp_path / "run/losses.csv").read_text().splitlines()))
    assert len(rows) == 1 and float(rows[0]["val_discriminator/real"]) > 0

    painted = tmp_path / "painted"
    flags = (f"--model={tmp_path / 'run/gan.keras'}", f"--out={painted}", "--batch_size=2")
    flags += ("--precision=float32",)
    labels = f"--labels={tmp_path / 'ade'}"
    run("generate.py", labels, "--dataset=ade20k", "--split=val", counting, *flags)
    names = [f"ADE_validation_{i}" for i in range(3)]
    assert sorted(path.stem for path in painted.iterdir()) == names
    gan = keras.models.load_model(tmp_path / "run/gan.keras", compile=False)
    for name in names:
        wanted = gan.generate(ids[name][None])[0].astype(int)
        picture = np.asarray(Image.open(painted / f"{name}.png")).astype(int)
        assert np.abs(picture - wanted).max() <= 1

    # The same label maps as arrays of other numbers, in a nested folder.
    (tmp_path / "maps" / "a").mkdir(parents=True)
    for name in names:
        np.save(tmp_path / f"maps/a/{name}.npy", ids[name].astype(int) + 1000)
    mapping = "--data_options={'label_mapping': {'offset': -1000, 'void_labels': None}}"
    again = (flags[0], f"--out={tmp_path / 'again'}", *flags[2:])
    run("generate.py", f"--labels={tmp_path / 'maps'}", mapping, *again)
    for name in names:
        picture = (tmp_path / "again" / "a" / f"{name}.png").read_bytes()
        assert picture == (painted / f"{name}.png").read_bytes()

    cases = (
        ("--num_classes=150", "--num_classes is for your own folders"),
        ("--instance_edges", "ade20k has no instance maps"),
        ("--split=validation", 'split must be "train" or "val"'),
        ("--data_options={'count': 1}", "unexpected keyword argument 'count'"),
        ("--data_options={'count'", "is not a dict of arguments"),
    )
    check_messages("train", [([*ade, wrong], message) for wrong, message in cases])


@pytest.mark.slow
def test_drawn_scenes(tmp_path):
    best = ("--best=val_generator/feature_matching", "--patience=9")
    result = run("train.py", f"--run_dir={tmp_path}", "--num_scenes=8", *SMALL, *best)
    assert "generator/feature_matching" in result.stdout and (tmp_path / "best.keras").exists()
    page = (tmp_path / "run.html").read_text()
    assert '"epochs": 2, "of": 2' in page and '"best": {"name": "val_generator/feat' in page
    picture = np.asarray(Image.open(tmp_path / "epoch_0002.png"))
    assert picture.shape == (6 * 64 + 5 * 2, 3 * 64 + 2 * 2, 3)
    preset = np.asarray(Image.open(tmp_path / "preset.png"))
    assert preset.shape == (6 * 128 + 5 * 2, 5 * 128 + 4 * 2, 3)


def epochs_in(folder):
    rows = csv.DictReader((folder / "losses.csv").read_text().splitlines())
    return [row["epoch"] for row in rows]


def test_losses_are_whole_after_a_kill(tmp_path):
    path = tmp_path / "losses.csv"
    # Epoch 1 was logged without a backup; half of the row of epoch 2 was written.
    path.write_text("epoch,old,loss\n0,9,3.0\n1,9,2.5\n2,9")
    history = SimpleNamespace(epoch=[0], history={"loss": [3.0]})
    losses = LossesFile(path)
    losses.set_model(SimpleNamespace(history=history))
    losses.on_epoch_begin(1)
    assert path.read_text().split() == ["epoch,loss", "0,3.0"]
    history.epoch.append(1)
    history.history["loss"].append(2.0)
    history.history["kl"] = [0.5]  # From a later version.
    losses.on_train_end()
    assert path.read_text().split() == ["epoch,kl,loss", "0,NA,3.0", "1,0.5,2.0"]
    keras_spade.callbacks.plot_curves(path, tmp_path / "losses.png")
    history.epoch.clear()
    losses.on_epoch_begin(0)  # --new_run
    assert not path.exists()


@pytest.mark.slow
def test_a_run_resumes_unless_its_flags_have_changed(tmp_path):
    flags = (f"--run_dir={tmp_path}", "--num_scenes=8", "--ema=0.9", *SMALL)
    run("train.py", *flags, "--epochs=1")
    result = run("train.py", *flags, "--precision=mixed_bfloat16", check=False)
    assert result.returncode != 0
    assert "--precision=float32 before, mixed_bfloat16 now" in result.stdout + result.stderr
    result = run("train.py", *flags, "--calibrate=2")
    gan = keras.models.load_model(tmp_path / "gan.keras")
    saved = [np.array(variable) for variable in gan.statistics]
    gan.calibrate(keras_spade.datasets.synthetic_scenes(8, (64, 64), 4, seed=0), verbose=0)
    for variable, value in zip(gan.statistics, saved, strict=True):
        np.testing.assert_allclose(variable, value, rtol=1e-4, atol=1e-5)
    assert f"Resuming from {tmp_path / 'backup'}: epoch 2, step 1." in result.stdout
    assert epochs_in(tmp_path) == ["0", "1"]
    begun = run("train.py", *flags, "--new_run", "--precision=mixed_bfloat16", "--epochs=1")
    assert "Resuming" not in begun.stdout and epochs_in(tmp_path) == ["0"]


@pytest.mark.slow
def test_two_workers(tmp_path):
    ports = [f"127.0.0.1:{port}" for port in free_ports(2)]
    command = [sys.executable, "examples/train.py", "--strategy=multi_worker"]
    command += [f"--run_dir={tmp_path / 'run'}", "--num_scenes=8", "--encoder", *SMALL]
    workers = []
    for index in range(2):
        task = {"type": "worker", "index": index}
        config = {"TF_CONFIG": json.dumps({"cluster": {"worker": ports}, "task": task})}
        with open(tmp_path / f"output_{index}.txt", "w") as file:
            pipes = {"stdout": file, "stderr": subprocess.STDOUT}
            environment = {**os.environ, **config}
            workers.append(subprocess.Popen(command, env=environment, cwd=ROOT, **pipes))
    codes = [worker.wait(timeout=600) for worker in workers]
    outputs = [(tmp_path / f"output_{index}.txt").read_text() for index in range(2)]
    assert codes == [0, 0], outputs
    # Short: not a line for every sum over workers.
    assert all(len(text) < 10_000 for text in outputs), outputs
    assert ["Pictures, losses and the model are in" in text for text in outputs] == [True, False]
    assert epochs_in(tmp_path / "run") == ["0", "1"]
    names = {path.name for path in (tmp_path / "run").iterdir()}
    assert {"epoch_0001.png", "epoch_0002.png", "gan.keras", "losses.png"} <= names
    assert not [name for name in names if name.startswith(".")]


def test_a_mistake_is_reported_before_training(street, tmp_path):
    (street / "labels" / "3.png").unlink()
    (street / "labels").rename(street / "masks")
    flags = (f"--data={street}", f"--run_dir={tmp_path / 'run'}", "--num_classes=4")
    result = run("train.py", *flags, "--label_folder=masks", check=False)
    assert result.returncode != 0 and "3.jpg" in result.stderr
    assert "Traceback" not in result.stderr
    (message,) = (
        line for line in result.stderr.splitlines() if line.startswith("examples/train.py")
    )
    assert message.startswith("examples/train.py: paired_folders: 1 of 5 files in ")
    result = run("train.py", f"--data={street}", check=False)
    assert result.returncode != 0 and "--num_classes" in result.stdout + result.stderr


def test_a_missing_library_is_reported_in_one_line(tmp_path, monkeypatch):
    (tmp_path / "w.pth").touch()
    monkeypatch.setattr(sys, "argv", ["examples/train.py"])
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(SystemExit) as end:
        _errors.run(lambda argv: keras_spade.metrics.VGG16Features(str(tmp_path / "w.pth")))
    assert end.value.code == (
        f"examples/train.py: Reading '{tmp_path}/w.pth' needs PyTorch (`pip install torch`); a "
        "mapping of names to arrays does not."
    )


def test_an_interrupted_script_says_so_in_one_line(monkeypatch, capsys):
    def interrupted(argv):
        raise KeyboardInterrupt

    monkeypatch.setattr(sys, "argv", ["examples/evaluate.py"])
    with pytest.raises(SystemExit) as end:
        _errors.run(interrupted)
    assert end.value.code == 130  # 128 + SIGINT, as in a shell.
    assert capsys.readouterr().err == "examples/evaluate.py: interrupted.\n"


@pytest.mark.slow
def test_train_tells_of_mistakes_in_one_line(street, tmp_path):
    labels = np.asarray(Image.open(street / "labels/4.png")).copy()
    labels[:8] = 9
    Image.fromarray(labels).save(street / "labels/4.png")
    own = [f"--data={street}", "--num_classes=4", "--void_class", f"--run_dir={tmp_path / 'run'}"]
    unused = ("--validation_split=0.1", "--validation_data=x", "--image_folder=x", "--resize=none")
    unused += ("--load_size=9,9", "--image_range=0,9", "--num_classes=3", "--noflip")
    names = [flag.partition("=")[0].replace("--no", "--") for flag in unused]
    cases = [([flag], f"{name} requires --data") for flag, name in zip(unused, names, strict=True)]
    (tmp_path / "empty.h5").touch()
    single = ("--validation_split=0.3", f"--features={tmp_path}/empty.h5", "--base_filters=2")
    early = ["--base_filters=2", "--num_scenes=4", f"--run_dir={tmp_path / 'early'}"]
    with h5py.File(tmp_path / "hed.h5", "w") as file:
        file["block1/layers/conv2d/vars/0"] = np.zeros(1)
    cases += [
        (["--image_size=a,b"], "--image_size=a,b: expected two whole numbers"),
        (["--image_size=64"], "--image_size=64: expected two whole numbers"),
        ([*own, "--load_size=9,b"], "--load_size=9,b: expected one or two whole numbers"),
        ([*own, "--image_range=0"], "--image_range=0: expected two numbers"),
        # A bad file among the validation samples; among the names 0 to 4, that is 4.
        ([*own, "--validation_split=0.3", "--base_filters=2"], "4.png: label ids out of range: 9"),
        (["--perceptual=x.h5", *early], "--perceptual=x.h5: no such file. Pass Keras' vgg19_"),
        (["--perceptual=imagenet", *early], "--perceptual=imagenet: the ImageNet weights are una"),
        ([f"--perceptual={tmp_path}/hed.h5", *early], "pass --perceptual_network=vgg16"),
        (["--best=val_kernel_distance", *early], "--best=val_kernel_distance needs --features"),
        (["--features=x.h5", *early], "--features=x.h5: no such file. Pass Keras' vgg16_"),
        # --new_run deletes the backups of a run, after all checks.
        ([f"--features={tmp_path}/empty.h5", "--new_run", *early], "does not fit VGG16"),
        (["--patience=2", "--new_run", *early], "--patience is for --best"),
        (["--metrics_every=2", "--base_filters=2", "--num_scenes=4"], "is for metrics, which"),
        (["--feature_size=9,9", "--base_filters=2", "--num_scenes=4"], "is for metrics, which"),
        ([*own, "--features=x.h5", "--base_filters=2"], "--features needs unseen data"),
        (["--features=", "--metrics_every=2", "--num_scenes=4"], "is for metrics, which"),
        ([*own, *single, "--image_channels=4"], "3 channels or 1; these have 4. Pass --features="),
        ([*own, "--num_classes=10", *single], "distances need at least two unseen photographs"),
        (["--patience=2", "--base_filters=2", "--num_scenes=4"], "--patience is for --best"),
        (["--best=val_loss", "--base_filters=2", "--num_scenes=4"], "'val_loss', which is not a"),
    ]
    offline = {"https_proxy": "http://127.0.0.1:9", "KERAS_HOME": str(tmp_path / "keras")}
    check_messages("train", cases, **offline)
    assert not (tmp_path / "early").exists()  # Nothing was painted or written.


@pytest.mark.slow
def test_inspect_dataset_takes_the_options_that_it_proposes(street):
    options = "--data_options={'on_bad_file': 'skip'}"
    own = [f"--data={street}", "--num_classes=4", "--void_class"]
    cases = [([*own, "--image_range=0,b"], "--image_range=0,b: expected two numbers.")]
    check_messages("inspect_dataset", cases, [*own, options])


@pytest.mark.slow
def test_generate_reads_folders_as_training_does(street, tmp_path):
    sizes = {"image_shape": (32, 32, 3), "num_classes": 4, "void_class": True}
    generator = keras_spade.SPADEGenerator(**sizes, base_filters=2, hidden_filters=2)
    discriminator = keras_spade.MultiScaleDiscriminator(**sizes, base_filters=2)
    gan = keras_spade.GauGAN(generator, discriminator, seed=0)
    gan.save(tmp_path / "gan.keras")
    for part in ("1", "2"):
        (street / f"masks_{part}").mkdir()
        (street / "labels" / f"{part}.png").rename(street / f"masks_{part}" / "x.png")
    np.save(street / "masks_2" / "bad.npy", np.full((48, 64), 9))
    model = [f"--model={tmp_path / 'gan.keras'}", f"--out={tmp_path / 'out'}"]
    own = [*model, f"--data={street}"]
    parts = [*own, "--label_folder=masks_?", "--resize=scale_short_side", "--load_size=36"]
    cases = [
        (parts, "bad.npy: label ids out of range: 9"),
        ([*own, "--image_folder=x"], "--image_folder does not apply"),
        ([*own, "--image_channels=1"], "--image_channels is for --style"),
        ([*own, "--instance_folder=x"], "--instance_folder does not apply"),
        ([*own, "--load_size=a"], "--load_size=a: expected one or two whole numbers"),
        ([*model, f"--labels={street}/labels", "--label_folder=x"], "--label_folder is for --data"),
    ]
    skip = "--data_options={'on_bad_file': 'skip'}"
    # The same as a preset whose label files had another numbering in training.
    numbers = {"remap": {0: 3, 1: 2, 2: 1, 3: 0}, "void_labels": 255}
    gan.classes = keras_spade.ClassInfo(label_mapping=numbers)
    gan.save_to_preset(tmp_path / "preset")
    model = [f"--model={tmp_path / 'preset'}", f"--out={tmp_path / 'mapped'}"]
    check_messages("generate", cases, [*parts, skip], [*model, *parts[2:], skip])
    painted = sorted((tmp_path / "out").rglob("*.png"))
    assert [str(path.relative_to(tmp_path / "out")) for path in painted] == ["1/x.png", "2/x.png"]
    for path in painted:
        labels = np.asarray(Image.open(street / f"masks_{path.parent.name}" / "x.png"))
        labels = np.where(labels == 255, 4, labels)[np.arange(36) * 48 // 36]
        labels = labels[2:34, np.arange(48) * 64 // 48][:, 8:40]  # The middle of 36 x 48.
        for folder, ids in (("out", labels), ("mapped", np.where(labels == 4, 4, 3 - labels))):
            picture = np.asarray(Image.open(tmp_path / folder / path.relative_to(tmp_path / "out")))
            assert np.abs(gan.generate(ids[None])[0].astype(int) - picture).max() <= 1


@pytest.mark.slow
def test_models_paint_with_the_averages_of_their_weights(tmp_path):
    path, batch = tmp_path / "gan.keras", tiny_batch()
    optimizer = keras_spade.optimizers.BiasCorrectedAdam(0.1, use_ema=True, ema_momentum=0.5)
    gan = tiny_gan(latent_dim=None, generator_optimizer=optimizer)
    gan.fit(batch, epochs=2, batch_size=2, verbose=0)
    gan.save(path)
    want = gan.averaged().generate(batch["labels"]).astype(int)
    assert np.abs(want - gan.generate(batch["labels"])).max() > 1
    read, weights = painting_model(path)
    assert weights == "averages" and np.abs(want - read.generate(batch["labels"])).max() <= 1
    # Files saved after this callback contain the averages instead of the weights.
    swap = keras.callbacks.SwapEMAWeights(swap_on_epoch=True)
    saving = [swap, keras.callbacks.ModelCheckpoint(path)]
    gan.fit(batch, batch_size=2, verbose=0, callbacks=saving)
    want = gan.averaged().generate(batch["labels"]).astype(int)
    read, weights = painting_model(path)
    assert weights == "averages" and np.abs(want - read.generate(batch["labels"])).max() <= 1
    gan.averaged().save(path)
    read, weights = painting_model(path)
    assert weights == "as in the file" and np.abs(want - read.generate(batch["labels"])).max() <= 1


@pytest.fixture
def evaluated(tmp_path):
    """A GAN with four classes and void, weights of VGG16, and a segmenter of bytes."""
    sizes = {"image_shape": (32, 32, 3), "num_classes": 4, "void_class": True}
    generator = keras_spade.SPADEGenerator(**sizes, base_filters=2, hidden_filters=2)
    discriminator = keras_spade.MultiScaleDiscriminator(**sizes, base_filters=2)
    keras_spade.GauGAN(generator, discriminator, seed=0).save(tmp_path / "gan.keras")
    vgg = keras.applications.VGG16(include_top=False, weights=None)
    vgg.save_weights(tmp_path / "vgg16.weights.h5")
    generator.save(tmp_path / "generator.keras")
    inputs = keras.Input((None, None, 3))
    keras.Model(inputs, keras.layers.Conv2D(4, 1)(inputs)).save(tmp_path / "segmenter.keras")
    keras.Model(inputs, keras.layers.Conv2D(5, 1)(inputs)).save(tmp_path / "with_void.keras")
    inputs = keras.Input((64, 64, 3))
    keras.Model(inputs, keras.layers.Conv2D(4, 1)(inputs)).save(tmp_path / "large.keras")
    return tmp_path


@pytest.mark.slow
def test_evaluate_measures_what_it_paints(street, evaluated):
    out, pngs = evaluated / "numbers.json", evaluated / "pngs"
    weights = str(evaluated / "vgg16.weights.h5")
    model = [f"--model={evaluated / 'gan.keras'}", f"--out={out}"]
    own = [*model, f"--data={street}", "--features="]
    good = [*model, f"--data={street}", f"--features={weights}"]
    good += [f"--segmenter={evaluated / 'segmenter.keras'}", f"--png_folder={pngs}"]
    good += ["--feature_size=32,48", "--batch_size=5"]
    cases = [
        ([*own, "--styles=2"], "--styles needs --features"),
        ([*own, "--use_style"], "--use_style: the model has no encoder"),
        ([*own, "--split=val"], "--split is for --dataset"),
        ([*own, f"--png_folder={street}"], "exists and would be replaced"),
        ([*own, f"--out={street}/a/b.json"], f"b.json: there is no folder {street}/a."),
        ([*own, f"--out={street}"], f"--out={street} is a folder"),
        ([*own, "--features=x.h5"], "--features=x.h5: no such file. Pass Keras' vgg16_"),
        ([*own, "--features=imagenet"], "or pass --features= to omit the distances."),
        ([*own, "--segmenter=x.keras"], "--segmenter=x.keras: no such file."),
    ]
    expected = (
        "must return class scores (1, h, w, 4), without void, for uint8 images (1, 32, 32, 3)"
    )
    for name, got in (
        ("generator", "it failed: Layer "),
        ("with_void", "it returned the shape (1, 32, 32, 5)"),
        ("large", "it failed: Input 0 "),
    ):
        path = evaluated / f"{name}.keras"
        wanted = f"--segmenter={path} {expected}; {got}"
        cases.append(([*own, f"--segmenter={path}"], wanted))
    # One held-out sample, without numbers.
    pictures = [*own, "--validation_split=0.3", f"--out={evaluated / 'pictures.json'}"]
    pictures += [f"--png_folder={evaluated / 'pictures'}"]
    offline = {"https_proxy": "http://127.0.0.1:9", "KERAS_HOME": str(evaluated / "keras")}
    check_messages("evaluate", cases, good, pictures, **offline)
    report = json.loads((evaluated / "pictures.json").read_text())
    assert report["results"] == [] and report["protocol"].pop("samples") == 1
    data = {"name": str(street), "subset": "validation", "validation_split": 0.3}
    assert report["protocol"].pop("data") == data
    sha = hashlib.sha256((evaluated / "gan.keras").read_bytes()).hexdigest()
    assert report["protocol"].pop("model") == f"gan.keras, sha256 {sha[:16]}"
    assert report["protocol"].pop("size") == "32 x 32 x 3"
    assert set(report["protocol"]) == {"weights", "resampling", "real", "void", "latent"}
    report = json.loads(out.read_text())
    assert [report[k] for k in ("complete", "samples", "of", "skipped")] == [True, 5, 5, 0]
    rows = {row["name"]: row for row in report["results"]}
    assert list(rows) == [
        *("frechet_distance", "kernel_distance", "mean_iou", "pixel_accuracy"),
        *("mean_iou_of_photographs", "pixel_accuracy_of_photographs"),
    ]
    sha = hashlib.sha256(Path(weights).read_bytes()).hexdigest()
    protocol = rows["kernel_distance"]["protocol"]
    assert protocol["vgg16"] == f"vgg16.weights.h5, sha256 {sha[:16]}"
    assert protocol["features"].endswith(
        "weights: vgg16.weights.h5; pictures bicubic, antialiased, to 32 x 48"
    )
    assert protocol["is_not"] == "the KID of the literature, which uses Inception-v3"
    assert report["protocol"]["samples"] == rows["mean_iou"]["protocol"]["samples"] == 5
    assert not {"features", "segmenter", "pictures"} & set(report["protocol"])
    assert rows["mean_iou"]["protocol"]["weights"] == "as in the file"

    # The numbers match the written pictures, and these match the label maps.
    painted, real = (
        np.stack([np.asarray(Image.open(path)) for path in sorted((pngs / name).iterdir())])
        for name in ("painted", "real")
    )
    assert painted.shape == real.shape == (5, 32, 32, 3)
    metric = keras_spade.metrics.FrechetDistance(
        keras_spade.metrics.VGG16Features(weights, image_size=(32, 48))
    )
    metric.update_state(real, painted)
    value = rows["frechet_distance"]["value"]
    assert value > 0 and float(metric.result()) == pytest.approx(value, rel=1e-3)
    segmenter = keras.models.load_model(evaluated / "segmenter.keras")
    labels = np.stack([np.asarray(Image.open(street / f"labels/{i}.png")) for i in range(5)])
    labels = np.where(labels == 255, 4, labels)[:, np.arange(32) * 48 // 32]
    labels = labels[:, :, np.arange(32) * 64 // 32]
    seen = np.argmax(keras.ops.convert_to_numpy(segmenter(painted)), axis=-1)
    accuracy = np.mean((seen == labels)[labels < 4])
    assert rows["pixel_accuracy"]["value"] == pytest.approx(accuracy, abs=1e-3)

    # One held-out sample has no distance. The name is too long for the partial file next to it.
    single = [*model, f"--data={street}", f"--features={weights}", "--validation_split=0.3"]
    ended = run("evaluate.py", *single, f"--out={evaluated / ('x' * 250)}", check=False)
    assert ended.returncode == 1 and "x could not be written" in ended.stderr.splitlines()[-1]
    told = ended.stdout
    assert "not a number" in told and "Distances need at least two samples." in told
    assert "samples: 1" in told and "The numbers are in" not in told


@pytest.mark.slow
def test_evaluate_paints_several_latents_and_the_style_of_the_photograph(street, evaluated):
    sizes = {"image_shape": (32, 32, 3), "num_classes": 4, "void_class": True}
    generator = keras_spade.SPADEGenerator(
        **sizes, latent_dim=3, base_filters=2, hidden_filters=2, initial_gain=1.0
    )
    discriminator = keras_spade.MultiScaleDiscriminator(**sizes, base_filters=2)
    encoder = keras_spade.StyleEncoder((32, 32, 3), 3, 2, (128, 128), initial_gain=1.0)
    variance = encoder.get_layer("log_variance")  # Tiny: the latent of a style is its mean.
    variance.kernel.assign(0 * variance.kernel)
    variance.bias.assign(variance.bias - 60)
    gan = keras_spade.GauGAN(generator, discriminator, encoder, seed=0)
    gan.save(evaluated / "styled.keras")
    weights = str(evaluated / "vgg16.weights.h5")
    flags = [f"--model={evaluated / 'styled.keras'}", f"--data={street}", "--seed=7"]
    flags += [f"--features={weights}", "--feature_size=32,32", "--batch_size=2"]
    flags += [f"--out={evaluated / 'numbers.json'}", f"--png_folder={evaluated / 'pngs'}"]
    run("evaluate.py", *flags, "--styles=3", "--use_style")
    labels = np.stack([np.asarray(Image.open(street / f"labels/{i}.png")) for i in range(5)])
    labels = np.where(labels == 255, 4, labels)[:, np.arange(32) * 48 // 32]
    labels = labels[:, :, np.arange(32) * 64 // 32]

    # Latents depend on the seed and the position in the data, not on the batch size.
    wanted = {}
    for seed in (7, 8):
        latents = [np.random.default_rng((seed, i)).normal(size=(3, 3)) for i in range(5)]
        latents = np.stack(latents, axis=1)  # (pictures, maps, 3)
        pictures = np.stack([gan.generate(labels, latent=latent) for latent in latents], axis=1)
        metric = keras_spade.metrics.Diversity(keras_spade.metrics.PerceptualDistance(weights))
        metric.update_state(pictures)
        wanted[seed] = float(metric.result())
    assert abs(wanted[7] - wanted[8]) > 0.01 * wanted[7] > 0
    results = json.loads((evaluated / "numbers.json").read_text())["results"]
    rows = {row["name"]: row for row in results}
    assert rows["diversity"]["value"] == pytest.approx(wanted[7], rel=1e-3)
    protocols = {name: row["protocol"] for name, row in rows.items()}
    assert protocols["diversity"]["pictures_of_each_map"] == 3
    assert protocols["diversity"]["latent"] == "standard normal, seed 7"

    style = "of the style of each map's photograph, seed 7"
    assert protocols["frechet_distance"]["latent"] == style
    painted, real = (
        np.stack([np.asarray(Image.open(path)) for path in sorted(folder.iterdir())])
        for folder in (evaluated / "pngs" / "painted", evaluated / "pngs" / "real")
    )
    styles, _ = map(keras.ops.convert_to_numpy, encoder((real / 127.5 - 1).astype("float32")))
    away = [
        np.abs(gan.generate(labels, latent=latent).astype(int) - painted).max()
        for latent in (styles, styles[::-1])
    ]
    assert away[0] <= 2 and away[1] > 10


@pytest.mark.slow
def test_evaluate_that_is_interrupted_says_so(street, evaluated):
    for i in range(5, 400):
        for folder, kind in (("images", "jpg"), ("labels", "png")):
            (street / folder / f"{i}.{kind}").symlink_to(street / folder / f"0.{kind}")
    out, pngs = evaluated / "numbers.json", evaluated / "pngs"
    command = [sys.executable, "examples/evaluate.py", f"--model={evaluated / 'gan.keras'}"]
    command += [f"--data={street}", f"--out={out}", f"--png_folder={pngs}", "--batch_size=1"]
    command += ["--feature_size=32,32", f"--features={evaluated / 'vgg16.weights.h5'}"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as process:
        while b"2/400" not in process.stdout.read1():
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        text = process.stdout.read()
    assert process.returncode == 130
    report = json.loads(out.read_text())
    assert not report["complete"] and 1 <= report["samples"] < report["of"] == 400
    assert f"INTERRUPTED: {report['samples']} of 400 samples" in text.decode()
    assert not pngs.exists() and [row["name"] for row in report["results"]] == [
        "frechet_distance",
        "kernel_distance",
    ]
