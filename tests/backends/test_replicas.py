import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from support.backends import only_on
from support.golden_files import read_arrays, relative_error

import keras_spade
from keras_spade.backends.replicas import sum_over_replicas

pytestmark = only_on("tensorflow", "tf.distribute")
SPLITS = pytest.mark.parametrize("first", [2, 3])


@pytest.fixture(scope="module")
def answers(tmp_path_factory):
    """The results of `two_replicas.py`: a batch of four, on two devices."""
    path = tmp_path_factory.mktemp("replicas") / "answers.npz"
    package = str(Path(keras_spade.__file__).parents[1])
    subprocess.run(
        [
            sys.executable,
            "-W",
            "error",
            str(Path(__file__).parents[1] / "processes" / "two_replicas.py"),
            str(path),
        ],
        env={**os.environ, "PYTHONPATH": package, "CUDA_VISIBLE_DEVICES": "-1"},
        check=True,
        timeout=300,
    )
    return read_arrays(path)


def normalized(x, axes):
    """Normalises by the formula; also returns the variance plus epsilon."""
    x = x.astype("float64")
    variance = x.var(axis=axes, keepdims=True) + 1e-5
    return (x - x.mean(axis=axes, keepdims=True)) / np.sqrt(variance), variance


def gradient(x, seed, axes):
    """The gradient of `sum(normalized(x) * seed)`."""
    y, variance = normalized(x, axes)
    centred = seed - seed.mean(axis=axes, keepdims=True)
    return (centred - y * (y * seed).mean(axis=axes, keepdims=True)) / np.sqrt(variance)


def both(answers, name):
    return [answers[f"{name}/{i}"] for i in (0, 1)]


def shares(answers, first):
    x, seed = answers["x"], answers["seed"]
    return [(x[:first], seed[:first]), (x[first:], seed[first:])]


def assert_channels_close(got, want, limit):
    """Compares per channel: the second has a much smaller variance, and a larger gradient."""
    for channel in range(want.shape[-1]):
        assert relative_error(got[..., channel], want[..., channel]) < limit, channel


@SPLITS
def test_sync_batch_norm_is_that_of_the_whole_batch(answers, first):
    x, seed, name = answers["x"], answers["seed"], f"sync_batch/{first}"
    y, grad = (np.concatenate(both(answers, f"{name}/{key}")) for key in ("y", "grad"))
    assert_channels_close(y, normalized(x, (0, 1, 2))[0], 1e-4)
    assert_channels_close(grad, gradient(x, seed, (0, 1, 2)), 1e-4)
    wide = x.astype("float64")
    mean, variance = wide.mean(axis=(0, 1, 2)), wide.var(axis=(0, 1, 2), ddof=1)
    assert relative_error(answers[f"{name}/moving_mean"], 0.1 * mean) < 1e-5
    assert relative_error(answers[f"{name}/moving_variance"], 0.9 + 0.1 * variance) < 1e-5


@SPLITS
def test_batch_norm_is_each_replicas_own(answers, first):
    name = f"batch/{first}"
    whole = normalized(answers["x"], (0, 1, 2))[0]
    means, variances = [], []
    y, grad = both(answers, f"{name}/y"), both(answers, f"{name}/grad")
    for i, (x, seed) in enumerate(shares(answers, first)):
        assert_channels_close(y[i], normalized(x, (0, 1, 2))[0], 1e-4)
        assert_channels_close(grad[i], gradient(x, seed, (0, 1, 2)), 1e-4)
        means.append(x.astype("float64").mean(axis=(0, 1, 2)))
        variances.append(x.astype("float64").var(axis=(0, 1, 2), ddof=1))
    assert relative_error(np.concatenate(y), whole) > 1e-2
    # Variables are mirrored: their new value is the mean of the replicas.
    mean, variance = np.mean(means, axis=0), np.mean(variances, axis=0)
    assert relative_error(answers[f"{name}/moving_mean"], 0.1 * mean) < 1e-5
    assert relative_error(answers[f"{name}/moving_variance"], 0.9 + 0.1 * variance) < 1e-5


@SPLITS
def test_instance_norm_does_not_know_of_replicas(answers, first):
    name = f"instance/{first}"
    y, grad = (np.concatenate(both(answers, f"{name}/{key}")) for key in ("y", "grad"))
    assert_channels_close(y, normalized(answers["x"], (1, 2))[0], 1e-4)
    assert_channels_close(grad, gradient(answers["x"], answers["seed"], (1, 2)), 1e-4)


def test_sums_and_their_gradients(answers):
    x, seed = answers["x"].astype("float64"), answers["seed"]
    total = x.sum(axis=0)
    for i in (0, 1):
        assert relative_error(answers[f"sum/y/{i}"], total**2) < 1e-5
        # Both replicas' losses depend on every x.
        want = np.broadcast_to(2.0 * total * (seed[0] + seed[1]), (2, 3, 5, 2))
        assert relative_error(answers[f"sum/grad/{i}"], want) < 1e-5


def test_one_replica_sums_nothing(answers):
    import tensorflow as tf

    x = tf.constant([1.0, 2.0])
    assert sum_over_replicas(x) is x
    with tf.distribute.OneDeviceStrategy("CPU:0").scope():
        assert sum_over_replicas(x) is x
    assert answers["sum/outside"] == 3.0


def test_spectral_norm_iterates_once_on_both_replicas(answers):
    before, after = (f"spectral/{time}/" for time in ("before", "after"))
    kernel = answers[before + "kernel"].astype("float64")
    v = kernel @ answers[before + "u"]
    v /= np.linalg.norm(v)
    u = v @ kernel
    sigma = np.linalg.norm(u)
    assert relative_error(answers[after + "u"], u / sigma) < 1e-5
    assert relative_error(answers[after + "v"], v) < 1e-5
    np.testing.assert_array_equal(answers[after + "kernel"], answers[before + "kernel"])
    y = np.concatenate(both(answers, "spectral/y"))
    assert relative_error(y, answers["dense_x"] @ (kernel / sigma)) < 1e-5


def test_noise_is_that_of_the_whole_batch(answers):
    for time in ("", " again"):
        both_shares = np.concatenate(both(answers, f"noise{time}"))
        np.testing.assert_array_equal(both_shares, answers[f"noise/whole{time}"])
        assert [place.tolist() for place in both(answers, f"place{time}")] == [[0, 3], [2, 3]]
    assert np.abs(answers["noise/whole"] - answers["noise/whole again"]).max() > 0.1


def test_a_replica_without_samples_counts_for_nothing(answers):
    x = answers["x"][:3]
    y = answers["absent/y/0"]
    assert_channels_close(y, normalized(x, (0, 1, 2))[0], 1e-4)
    wide = x.astype("float64")
    assert relative_error(answers["absent/moving_mean"], 0.1 * wide.mean(axis=(0, 1, 2))) < 1e-5
    variance = 0.9 + 0.1 * wide.var(axis=(0, 1, 2), ddof=1)
    assert relative_error(answers["absent/moving_variance"], variance) < 1e-5
    np.testing.assert_array_equal(answers["absent/noise/0"], answers["absent/whole noise"])
    assert answers["absent/noise/1"].shape == (1, 4)
    assert answers["absent/place/0"].tolist() == [0, 3]
    assert answers["absent/place/1"][1] == 3


@pytest.mark.parametrize("kind", ["", " scaled"])
def test_what_is_not_finite_on_one_replica_is_skipped_on_all(answers, kind):
    fine, bad = f"fine{kind}", f"bad{kind}"
    assert answers[f"{fine}/w"] == 2.0 - 0.5 * 0.5 * (1.0 + 3.0)
    assert answers[f"{fine}/statistic"] == 5.0 + (1.0 + 3.0) / 2
    assert not any(both(answers, f"{fine}/skipped"))
    assert (answers[f"{bad}/w"], answers[f"{bad}/statistic"]) == (2.0, 5.0)
    assert all(both(answers, f"{bad}/skipped"))


def test_all_replicas_lower_the_loss_scale(answers):
    assert (answers["fine scaled/scale"], answers["bad scaled/scale"]) == (8.0, 4.0)


@pytest.mark.parametrize("name", ["frechet", "kernel", "segmentation", "diversity"])
def test_metrics_are_those_of_one_replica(answers, name):
    one, two = (answers[f"metric/{replicas}/{name}"] for replicas in ("one", "two"))
    assert np.all(one > 1e-3) and one.dtype == np.float32
    np.testing.assert_allclose(two, one, rtol=1e-6)


@pytest.mark.parametrize("kind", ["calibrated", "calibrated averages"])
def test_calibration_is_that_of_one_replica(answers, kind):
    one, two, unlike = (
        {
            name.removeprefix(prefix): value
            for name, value in answers.items()
            if name.startswith(prefix) and "/moving_" in name
        }
        for prefix in (f"{kind}/one/", f"{kind}/two/", f"{kind}/two unlike/")
    )
    assert len(one) == 6
    if kind == "calibrated averages":
        name = next(name for name in one if "norm_1" in name)
        assert relative_error(answers[f"calibrated/one/{name}"], one[name]) > 1e-2
    for name, want in one.items():
        np.testing.assert_allclose(two[name], want, rtol=2e-5, atol=1e-6)
        # With separate normalisation on each replica, the first norms would agree, not the last.
        same = np.allclose(unlike[name], want, rtol=2e-5, atol=1e-6)
        assert same == ("norm_1" not in name), name
