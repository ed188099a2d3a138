"""The same training on one device, on several, and in several processes.

Five steps with encoder, void, edges and validation; the last batch, of 5 samples for 8, leaves one
of four replicas without samples.
`KERAS_SPADE_SPREAD=all` also runs two devices in float64, and uses the paper's generator instead of
one with a single block.
"""

import os
from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np
import pytest
from support.backends import only_on
from support.training_processes import assert_equal_runs, finish, free_ports, run, start

pytestmark = [pytest.mark.slow, only_on("tensorflow", "tf.distribute")]

COMMON = ("--samples=37", "--encoder", "--validation")
# In float32, two runs diverge if rounding moves an activation to the other side of a kink, or
# changes the sign of a zero gradient in Adam. So the mathematics is tested in float64, with the
# paper's optimizers, and float32 with small plain steps.
KINDS = {
    "float64": (("--dtype=float64", "--ema"), 1e-9),
    "float32": (("--rate=1e-4",), 1e-5),
}
SPREAD = [("float64", 4), ("float32", 2)]
if os.environ.get("KERAS_SPADE_SPREAD") == "all":  # 4 devices and 2 processes cover 2 devices
    SPREAD.append(("float64", 2))
    COMMON += ("--generator=spade",)


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """The results of runs on several devices, two at a time, as most of the time is tracing."""
    folder = tmp_path_factory.mktemp("runs")
    with ThreadPoolExecutor(2) as pool:
        yield {
            (kind, replicas): pool.submit(
                run,
                folder / f"{kind}_{replicas}.npz",
                *(*COMMON, *KINDS[kind][0], f"--replicas={replicas}"),
            )
            for kind, replicas in [("float64", 1), *SPREAD, ("float32", 1)]
        }


@pytest.mark.parametrize("kind, replicas", SPREAD, ids=lambda value: str(value))
def test_several_devices(runs, kind, replicas):
    got = runs[kind, replicas].result()
    assert len(got[1]) == 5
    assert_equal_runs(got, runs[kind, 1].result(), KINDS[kind][1])


@pytest.mark.parametrize("kind", ["float64", "float32"])
def test_two_processes(runs, tmp_path, kind):
    flags, limit = KINDS[kind]
    ports = f"--workers={','.join(free_ports(2))}"
    files = [tmp_path / f"worker{i}.npz" for i in range(2)]
    checkpoint = f"--checkpoint={tmp_path / 'gan.keras'}"
    backup = f"--backup={tmp_path / 'backup'}"
    workers = [
        start(file, *COMMON, *flags, ports, f"--index={i}", checkpoint, backup)
        for i, file in enumerate(files)
    ]
    arrays, *losses = runs[kind, 1].result()
    for worker, file in zip(workers, files, strict=True):
        got = finish(worker, file)
        here = {name: array for name, array in arrays.items() if name in got[0]}
        assert_equal_runs(got, (here, *losses), limit)
        # `predict` returns each worker's part; the first one painted alone.
        missing = {"predicted"} if worker is workers[0] else {"predicted", "painted"}
        assert arrays.keys() - here.keys() == missing
    saved = keras.saving.load_model(tmp_path / "gan.keras")
    assert len(saved.generator.weights) > 0
    if kind == "float64":
        averaged = keras.saving.load_model(tmp_path / "gan.keras.averaged.keras")
        for variable in averaged.generator.weights:
            want = arrays[f"averaged/{variable.path}"]
            np.testing.assert_allclose(variable, want, rtol=0, atol=limit)
    # One of the two wrote it.
    assert len(list((tmp_path / "backup").iterdir())) == 2
