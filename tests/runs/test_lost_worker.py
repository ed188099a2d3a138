"""One of two workers is lost: the other reports it, and both resume when restarted."""

import signal
import time
from pathlib import Path

import numpy as np
import pytest
from support.backends import only_on
from support.training_processes import assert_equal_runs, finish, free_ports, run, start, steps

from keras_spade.callbacks import BackupAndRestore

pytestmark = [pytest.mark.endurance, only_on("tensorflow", "tf.distribute")]

FLAGS = ("--epochs=2", "--samples=80", "--batch_size=4", "--dtype=float64", "--modulation=dense")
# Stated in docs/training.md: a killed worker is seen at once, a frozen one after its heartbeat
# has been missed.
WITHIN = 60


def start_both(folder, *flags, own=((), ())):
    """Two workers, with common and separate flags, and the files they write at the end."""
    files = [folder / f"worker{i}.npz" for i in range(2)]
    ports = f"--workers={','.join(free_ports(2))}"
    workers = [
        start(file, *FLAGS, ports, f"--index={i}", *flags, *own[i]) for i, file in enumerate(files)
    ]
    return workers, files


def end_both(workers, files):
    """Waits until the second has failed, and soon after the first; returns their messages."""
    workers[1].communicate(timeout=300)
    workers[0].communicate(timeout=WITHIN)
    assert [worker.returncode for worker in workers] == [1, 1]
    return [Path(f"{file}.errors").read_text() for file in files]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The results of two uninterrupted workers."""
    workers, files = start_both(tmp_path_factory.mktemp("whole"))
    return [finish(worker, file) for worker, file in zip(workers, files, strict=True)]


@pytest.mark.parametrize("victim, how", [(0, signal.SIGKILL), (1, signal.SIGSTOP)])
def test_the_other_ends_and_both_go_on(whole, tmp_path, victim, how):
    backup = (f"--backup={tmp_path / 'backup'}", "--save_freq=2")
    workers, files = start_both(tmp_path, *backup)
    other = 1 - victim
    next(step for step in steps(workers[other]) if step >= (0, 7))
    workers[victim].send_signal(how)
    since = time.monotonic()
    list(steps(workers[other]))
    assert workers[other].wait(WITHIN) == 1
    assert time.monotonic() - since < WITHIN
    print(f"ended after {time.monotonic() - since:.1f} s")
    message = Path(f"{files[other]}.errors").read_text()
    assert "RuntimeError: Another worker is lost" in message
    assert "Restart all workers with the same command: training resumes" in message
    workers[victim].kill()
    for worker in workers:
        worker.wait()
        worker.stdout.close()

    workers, files = start_both(tmp_path, *backup)
    for worker, file, want in zip(workers, files, whole, strict=True):
        got = finish(worker, file)
        assert_equal_runs((got[0], want[1], got[2]), want, 1e-6)


def test_workers_that_see_different_backups_are_reported(tmp_path):
    backup = BackupAndRestore(tmp_path / "of_first")
    assert not backup.exists()
    run(tmp_path / "single.npz", "--samples=8", "--dtype=float64", f"--backup={backup.directory}")
    assert backup.exists()
    # At the same place, with other content.
    name = f"{backup.directory}/epoch_00001_step_0000000.npz"
    with np.load(name) as file:
        arrays = dict(file)
    arrays["seed/0"] = arrays["seed/0"] + 1
    (tmp_path / "of_second").mkdir()
    np.savez(name.replace("of_first", "of_second"), **arrays)
    own = [(f"--backup={tmp_path / name}",) for name in ("of_first", "of_second")]
    for message in end_both(*start_both(tmp_path, own=own)):
        assert "do not start at the same step or from the same backup; this one starts" in message


def test_a_bad_label_that_one_worker_sees_ends_both(tmp_path):
    messages = end_both(*start_both(tmp_path, own=((), ("--bad_label",))))
    assert "`labels` must hold ids 0.." in messages[1]
    assert "RuntimeError: Another worker is lost" in messages[0]
    assert "training starts over, because there is no `callbacks.BackupAndRestore`" in messages[0]
