"""JAX on several devices, `keras.distribution.DataParallel`, compared with one."""

import pytest
from support.backend_processes import BACKENDS, differences, run
from support.backends import BACKEND, only_on
from support.golden_files import read_arrays
from support.tiny_gan import tiny_batch


@pytest.mark.slow
@pytest.mark.skipif("jax" not in BACKENDS, reason="JAX is not installed")
@pytest.mark.skipif(BACKEND != "tensorflow", reason="runs once, with TensorFlow's tests")
def test_two_devices_equal_one(tmp_path):
    flags = ("--own_noise", "--dtype=float64", "--modulation=dense")
    for devices in (1, 2):
        run("jax", tmp_path, *flags, f"--devices={devices}", f"--name=on{devices}")
    one, two = (read_arrays(tmp_path / f"on{devices}.npz") for devices in (1, 2))
    for prefix in ("loss1", "loss3", "weights1", "weights3", "painted", "fit", "weights5"):
        largest = differences(one, two, prefix).max()
        print(prefix, largest)
        assert largest < 1e-9, prefix


@only_on("jax", "keras.distribution")
def test_batches_that_devices_cannot_share_are_refused_before_training(monkeypatch):
    import keras

    from keras_spade.backends.jax_loop import check_batches

    check_batches(tiny_batch(3), 2)  # one device

    class Two:
        num_model_replicas = 2

    monkeypatch.setattr(keras.distribution, "distribution", lambda: Two())
    check_batches(tiny_batch(4), 2)
    check_batches(tiny_batch(4), None)
    for samples, batch_size, bad in ((5, 2, 1), (3, None, 3), (6, 3, 3)):
        with pytest.raises(
            ValueError, match=f"`x`: a batch of {bad} for 2 devices.*drop_remainder"
        ):
            check_batches(tiny_batch(samples), batch_size)
