"""One of two workers is lost: the other says so, and both go on when they are started again."""

import signal
import time
from pathlib import Path

import pytest
from training_runs import assert_equal_runs, finish, free_ports, start, steps

pytestmark = pytest.mark.slow

FLAGS = ("--epochs=2", "--samples=80", "--batch_size=4", "--dtype=float64")
# Stated in docs/training.md: a killed worker is seen at once, a frozen one after its heartbeat
# has been missed.
WITHIN = 60


def start_both(folder, *flags):
    """Two workers, and the files they write at the end."""
    files = [folder / f"worker{i}.npz" for i in range(2)]
    ports = f"--workers={','.join(free_ports(2))}"
    workers = [start(file, *FLAGS, ports, f"--index={i}", *flags) for i, file in enumerate(files)]
    return workers, files


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """What two workers come to that are not interrupted."""
    workers, files = start_both(tmp_path_factory.mktemp("whole"))
    return [finish(worker, file) for worker, file in zip(workers, files, strict=True)]


@pytest.mark.parametrize(
    "victim, how", [(1, signal.SIGKILL), (0, signal.SIGKILL), (1, signal.SIGSTOP)]
)
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
    assert "Start all the workers again with the same command: training goes on" in message
    workers[victim].kill()
    for worker in workers:
        worker.wait()
        worker.stdout.close()

    workers, files = start_both(tmp_path, *backup)
    for worker, file, want in zip(workers, files, whole, strict=True):
        got = finish(worker, file)
        assert_equal_runs((got[0], want[1], got[2]), want, 1e-6)
