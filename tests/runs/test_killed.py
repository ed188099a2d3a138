"""Training that is killed at random moments gives the result of an uninterrupted run.

`KERAS_SPADE_KILLS=20 python -m pytest -m endurance tests/runs/test_killed.py` kills more often.
"""

import itertools
import os
import random
import signal
import time

import keras
import pytest
from support.backends import only_on
from support.training_processes import (
    assert_equal_runs,
    finish,
    largest_difference,
    run,
    start,
    steps,
)

from keras_spade.callbacks import BackupAndRestore

KILLS = int(os.environ.get("KERAS_SPADE_KILLS", 2))
# 60 steps, with a backup after every second one.
DENSE = "--modulation=dense"  # label patterns have no state that could be lost
FLAGS = ("--epochs=3", "--samples=80", "--batch_size=4", "--save_freq=2", DENSE)

pytestmark = only_on(
    "tensorflow", "it kills processes; tests of backups break off trainings on the others"
)


def newest(folder):
    """The place of the newest backup, `(epoch, step)`."""
    backups = BackupAndRestore(folder)._backups()
    return tuple(backups[-1][0]) if backups else (0, 0)


def kill_at_random(rng, out, folder, *flags):
    """Starts a run and kills it.

    Returns:
        The last step it reported; `None` if it had already ended.
    """
    place = newest(folder)
    process = start(out, *flags, f"--backup={folder}")
    last = "before its first step"
    if rng.random() < 0.25:
        time.sleep(rng.uniform(3, 15))  # while it reads the backup and traces functions
    else:
        # Earlier steps are reported again, all at once.
        new = (step for step in steps(process) if step >= place)
        last = next(itertools.islice(new, rng.randint(0, 25), None), None)
        if last is not None:
            time.sleep(rng.choice([rng.uniform(0, 0.1), rng.uniform(0, 0.5), rng.uniform(0, 3)]))
    process.send_signal(signal.SIGKILL)
    rest = list(steps(process))
    process.stdout.close()
    if process.wait() == 0:
        return None
    return rest[-1] if rest else last


def runs_with_kills(kills, seed, folder, *flags):
    """Yields the results of runs that are killed at random, `kills` times in total."""
    rng = random.Random(seed)
    for number in range(5 * kills):  # Some may end before being killed.
        out, backup = folder / f"run{number}.npz", folder / f"backup{number}"
        flags_here = (*flags, f"--checkpoint={folder / 'gan.keras'}")
        while kills:
            place = kill_at_random(rng, out, backup, *flags_here)
            if place is None:
                break
            kills -= 1
            print(f"killed at {place}, newest backup {newest(backup)}, {kills} kills left")
        print("run on to the end")
        whole = run(out, *flags_here, f"--backup={backup}")
        keras.saving.load_model(folder / "gan.keras")
        yield whole
        if not kills:
            return
    pytest.fail(f"The runs ended too early for {kills} of the kills.")


@pytest.mark.endurance
def test_one_device(tmp_path):
    flags = (*FLAGS, "--data=shuffled", "--encoder", "--ema", "--validation")
    whole = run(tmp_path / "whole.npz", *flags)
    for arrays, _, history in runs_with_kills(KILLS, 0, tmp_path, *flags):
        assert largest_difference(arrays, whole[0])[0] == 0.0
        assert history == whole[2]


@pytest.mark.endurance
def test_two_devices(tmp_path):
    flags = (*FLAGS, "--replicas=2", "--encoder", "--dtype=float64")
    whole = run(tmp_path / "whole.npz", *flags)
    for arrays, _, history in runs_with_kills(KILLS // 2, 1, tmp_path, *flags):
        assert_equal_runs((arrays, whole[1], history), whole, 1e-6)


@pytest.mark.slow
def test_killed_while_a_backup_is_written(tmp_path):
    out, folder = tmp_path / "killed.npz", tmp_path / "backup"
    flags = ("--epochs=2", "--save_freq=1", DENSE, f"--backup={folder}")
    whole = run(tmp_path / "whole.npz", "--epochs=2", DENSE)
    for number, place in ((1, (0, 0)), (3, (0, 1))):
        process = start(out, *flags, f"--die_while_writing={number}")
        list(steps(process))
        assert process.wait() == -signal.SIGKILL
        process.stdout.close()
        assert newest(folder) == place
        assert list(folder.glob(".partial_*"))
    arrays, _, history = finish(start(out, *flags), out)
    assert largest_difference(arrays, whole[0])[0] == 0.0 and history == whole[2]
    assert not list(folder.glob(".partial_*"))


@pytest.mark.endurance
def test_a_run_resumes_with_another_number_of_devices(tmp_path):
    out, folder = tmp_path / "killed.npz", tmp_path / "backup"
    flags = (
        "--samples=37",
        "--batch_size=4",
        "--save_freq=2",
        "--encoder",
        "--dtype=float64",
        DENSE,
    )
    whole = run(tmp_path / "whole.npz", *flags)
    process = start(out, *flags, f"--backup={folder}")
    next(step for step in steps(process) if step >= (0, 4))
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    got = run(out, *flags, f"--backup={folder}", "--replicas=2")
    assert_equal_runs((got[0], whole[1], got[2]), whole, 1e-6)
