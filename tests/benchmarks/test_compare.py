"""The benchmark harness: its sums, and one small run."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from _batches import read_batches, save_batches
from _data import distinct_shares, instance_edges, load_batches
from _table import memory_table, shares_line, time_table
from _variants import TASKS, VARIANTS, default_variants

from keras_spade import layers

ROOT = Path(__file__).resolve().parents[2]


def cells(table):
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()]


def test_time_table():
    # The median of the ratios, 2, is not the ratio of the medians, 1.5.
    seconds = {"ours": [1.0, 2.0, 4.0], "torch": [3.0, 4.0, 2.0]}
    head, rule, ours, torch = cells(time_table(seconds, "ours"))
    assert head[3] == "x the time of ours"
    assert rule == ["---", "---:", "---:", "---:", "---:"]
    assert ours == ["ours", "2.000 s", "[1.000..4.000]", "1.00", "[1.00..1.00]"]
    assert torch == ["torch", "3.000 s", "[2.000..4.000]", "2.00", "[0.50..3.00]"]


def test_memory_table():
    sizes = {"ours": (1, 3, 1.5, 2), "dense": (1, 5, 2, 5.5)}
    names = ("held", "first_peak", "kept", "later_peak")
    memory = {
        variant: {name: gib * 2**30 for name, gib in zip(names, of, strict=True)}
        for variant, of in sizes.items()
    }
    _, _, ours, dense = cells(memory_table(memory, "ours"))
    gib = "{:.3f} GiB".format
    assert ours == ["ours", gib(1), gib(3), gib(2), "1.00", gib(0.5), gib(1), "1.00"]
    assert dense == ["dense", gib(1), gib(5.5), gib(4.5), "2.25", gib(1), gib(4.5), "4.50"]


def test_shares_line():
    line = shares_line([{(2, 4): 0.1, (1, 2): 1.0}, {(2, 4): 0.2, (1, 2): 1.0}])
    assert line == "2 x 4: 15.0 % [10.0..20.0], 1 x 2: 100.0 % [100.0..100.0]"


def test_distinct_shares():
    # Of one label, a pixel sees only its distance from the borders: 0, 1 or more, on each side, so
    # 5 x 5 windows at 8 x 8, and as many as pixels at 4 x 4.
    flat = np.zeros((2, 8, 8), "int32")
    assert distinct_shares({"labels": flat[:1]}, 1) == {(8, 8): 25 / 64, (4, 4): 1.0}
    assert distinct_shares({"labels": flat}, 1) == {(8, 8): 25 / 128, (4, 4): 0.5}
    edges = np.stack([np.zeros((8, 8)), np.ones((8, 8))])
    assert distinct_shares({"labels": flat, "edges": edges}, 0) == {(8, 8): 50 / 128}
    # One other pixel is seen from 25 places, beside 25 kinds that do not see it. At half the size
    # it is not there: the floor rule picks even rows and columns.
    spot = np.zeros((1, 16, 16), "int32")
    spot[0, 7, 7] = 1
    assert distinct_shares({"labels": spot}, 1) == {(16, 16): 50 / 256, (8, 8): 25 / 64}


def test_shares_are_of_the_maps_the_layers_see():
    # Odd ratios too: the rows and columns that the floor rule picks.
    labels = np.random.default_rng(0).integers(0, 3, (1, 7, 11))
    picked = np.asarray(layers.nearest_resize(labels, 3, 5)).astype("int32")
    whole, half = distinct_shares({"labels": labels}, 1).values()
    assert half == distinct_shares({"labels": picked}, 0)[3, 5]
    assert whole <= 1.0


def test_edges_are_those_of_the_package():
    instances = np.random.default_rng(0).integers(0, 2, (2, 5, 7)).astype("int32")
    np.testing.assert_array_equal(instance_edges(instances), layers.instance_edges(instances))


@pytest.mark.parametrize(("source", "classes"), [("scenes", 14), ("noise:4", 182)])
def test_load_batches(source, classes, tmp_path):
    batches, num_classes, void_class = load_batches(source, 2, 3, (32, 64), None, 255, None)
    assert (num_classes, void_class) == (classes, source != "scenes")
    save_batches(tmp_path / "batches.npz", batches)
    for batch, again in zip(batches, read_batches(tmp_path / "batches.npz"), strict=True):
        assert {key: (a.shape, str(a.dtype)) for key, a in batch.items()} == {
            "labels": ((3, 32, 64), "int32"),
            "image": ((3, 32, 64, 3), "float32"),
            "edges": ((3, 32, 64), "float32"),
        }
        assert np.abs(batch["image"]).max() <= 1
        for key, array in batch.items():
            np.testing.assert_array_equal(array, again[key])
    assert (batches[0]["labels"] != batches[1]["labels"]).any()


def test_bad_data_is_refused():
    with pytest.raises(ValueError, match="--data must be scenes"):
        load_batches("street", 1, 1, (32, 32), None, 255, None)
    with pytest.raises(ValueError, match="--num_classes=3: the maps hold the id"):
        load_batches("scenes", 1, 1, (32, 32), 3, 255, None)


def test_defaults_do_their_task_or_say_why_not():
    for task in TASKS:
        for name in default_variants(task):
            assert task in VARIANTS[name].tasks or VARIANTS[name].why_not


TINY = ("--base_filters=4", "--hidden_filters=8", "--latent_dim=4", "--height=96", "--width=128")


def compare(*flags, check=True):
    command = [sys.executable, "benchmarks/compare.py", *TINY, *flags]
    return subprocess.run(
        command, check=check, capture_output=True, text=True, cwd=ROOT, timeout=600
    )


@pytest.mark.slow
@pytest.mark.parametrize("task", TASKS)
def test_a_small_run(task):
    # Without PyTorch its row is left out, and the reason said.
    flags = ("--variants=dense,torch", "--baseline=dense", "--repeats=2", "--warmup=1")
    output = compare(f"--task={task}", *flags).stdout
    assert re.search(r"\| dense +\| \d+\.\d{3} s", output)
    assert re.search(r"\| torch \| \d+\.\d{3} s", output) or "torch is not installed" in output
    assert "96 x 128: " in output


@pytest.mark.slow
def test_a_small_run_for_memory():
    flags = ("--variants=dense", "--baseline=dense", "--memory", "--task=training_step")
    assert re.search(r"\| dense +\| 0\.\d{3} GiB", compare(*flags).stdout)


@pytest.mark.slow
def test_the_last_words_of_a_worker_are_told():
    # Instance norm needs more than the 1 x 1 map that the encoder would make of this.
    flags = ("--variants=dense", "--baseline=dense", "--task=training_step", "--width=32")
    result = compare(*flags, "--height=32", check=False)
    assert result.returncode
    assert "The worker of 'dense' ended with code 1" in result.stderr
    assert "six halvings" in result.stderr
