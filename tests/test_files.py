import errno
import os
import resource
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import keras_spade
from keras_spade import MultiScaleDiscriminator
from keras_spade.files import check_format, replacing, replacing_folder


@pytest.fixture
def file_limit():
    """Limits the size of files, like a disk that fills up during writing."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)

    def limit(size):
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))

    yield limit
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.fixture
def small_disk(tmp_path):
    """A file system of one mebibyte."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    if os.name != "posix" or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("mounting a file system of its own needs the rights of root")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def discriminator(filters=8):
    return MultiScaleDiscriminator(4, (32, 32, 3), base_filters=filters)


def fill(path, left):
    """Fills a file system except for some bytes."""
    state = os.statvfs(path.parent)
    path.write_bytes(bytes(state.f_bavail * state.f_frsize - left))


def test_the_file_is_there_at_the_end_only(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with replacing(path) as partial:
        partial.write_text("new")
        assert partial.parent == tmp_path and partial.suffix == ".txt"
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert os.listdir(tmp_path) == ["a.txt"]


def test_errors_leave_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(ZeroDivisionError), replacing(path) as partial:
        partial.write_text("new")
        raise ZeroDivisionError
    with pytest.raises(OSError, match=r"a.txt could not be written, the old file is unchanged"):
        with replacing(path) as partial:
            partial.write_text("new")
            raise OSError(28, "No space left on device")
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["a.txt"]
    with pytest.raises(OSError, match=r"b.txt could not be written, there is no such file"):
        with replacing(tmp_path / "b.txt"):
            raise OSError(5, "Input/output error")


def test_a_disk_that_is_too_small_is_seen_beforehand(tmp_path):
    opened = False
    with pytest.raises(OSError, match="bytes are needed, .* are free") as seen:
        with replacing(tmp_path / "a.txt", size=2**60):
            opened = True
    assert not opened and not os.listdir(tmp_path)
    assert seen.value.errno == errno.ENOSPC


def test_links_and_rights_stay(tmp_path):
    path, link = tmp_path / "a.txt", tmp_path / "newest.txt"
    path.write_text("old")
    path.chmod(0o660)
    link.symlink_to(path)
    with replacing(link) as partial:
        partial.write_text("new")
    assert link.is_symlink() and path.read_text() == "new"
    assert path.stat().st_mode & 0o777 == 0o660

    store = tmp_path / "blob"  # with another suffix
    (tmp_path / "net.keras").symlink_to(store)
    discriminator().save(tmp_path / "net.keras")
    assert (tmp_path / "net.keras").is_symlink() and store.stat().st_size > 100_000


def test_a_killed_process_leaves_the_old_file(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    code = """
import os, sys
from keras_spade.files import check_format, replacing
with replacing(sys.argv[1]) as partial:
    partial.write_text("new")
    os.kill(os.getpid(), 9)
"""
    root = Path(keras_spade.__file__).parents[1]
    result = subprocess.run([sys.executable, "-c", code, str(path)], cwd=root)
    assert result.returncode == -9 and path.read_text() == "old"
    with replacing(path) as partial:
        assert partial.exists()  # left over
        partial.write_text("newer")
    assert path.read_text() == "newer" and os.listdir(tmp_path) == ["a.txt"]


def test_folders_are_replaced_whole(tmp_path):
    path = tmp_path / "a"
    for text in ("old", "new"):
        with replacing_folder(path) as partial:
            partial.mkdir()
            (partial / text).write_text(text)
    assert os.listdir(path) == ["new"] and os.listdir(tmp_path) == ["a"]
    with pytest.raises(KeyError), replacing_folder(path) as partial:
        partial.mkdir()
        raise KeyError
    with pytest.raises(OSError, match="a could not be written, the old folder is unchanged: full"):
        with replacing_folder(path):
            raise OSError(28, "full")
    assert os.listdir(path) == ["new"] and os.listdir(tmp_path) == ["a"]


def test_a_folder_that_was_moved_aside_comes_back(tmp_path):
    # As after a process was killed between the two moves.
    for name in (".partial_a", ".replaced_a"):
        (tmp_path / name).mkdir()
        (tmp_path / name / name).touch()
    with pytest.raises(KeyError), replacing_folder(tmp_path / "a"):
        raise KeyError
    assert os.listdir(tmp_path / "a") == [".replaced_a"] and os.listdir(tmp_path) == ["a"]


@pytest.mark.parametrize("name", ["net.keras", "net.weights.h5"])
def test_models_replace_whole_files(tmp_path, name):
    network = discriminator()
    save = network.save if name.endswith(".keras") else network.save_weights
    save(tmp_path / name)
    twin = discriminator()
    twin.load_weights(tmp_path / name)
    for mine, theirs in zip(network.weights, twin.weights, strict=True):
        np.testing.assert_array_equal(mine, theirs)
    assert os.listdir(tmp_path) == [name]


def test_a_model_file_that_cannot_grow(tmp_path, file_limit):
    network = discriminator()
    network.save(tmp_path / "net.keras")
    whole = (tmp_path / "net.keras").read_bytes()
    file_limit(len(whole) // 2)
    with pytest.raises(OSError, match=r"net.keras could not be written, the old file"):
        network.save(tmp_path / "net.keras")
    assert (tmp_path / "net.keras").read_bytes() == whole
    assert os.listdir(tmp_path) == ["net.keras"]


@pytest.mark.parametrize("name", ["net.keras", "net.weights.h5"])
@pytest.mark.parametrize("left", [0, 5000, 60_000])
def test_a_full_disk(small_disk, name, left):
    network = discriminator()
    save = network.save if name.endswith(".keras") else network.save_weights
    save(small_disk / name)
    whole = (small_disk / name).read_bytes()
    assert len(whole) > 100_000
    fill(small_disk / "other", left)
    with pytest.raises(OSError, match=f"{name} could not be written"):
        save(small_disk / name)
    assert (small_disk / name).read_bytes() == whole
    assert sorted(os.listdir(small_disk)) == [name, "other"]


def test_other_ways_of_saving_are_keras_own(tmp_path):
    network = discriminator()
    network.save(tmp_path / "folder", zipped=False)
    assert (tmp_path / "folder" / "config.json").exists()
    with pytest.raises(ValueError, match=".keras"):
        network.save(tmp_path / "net.txt")


@pytest.mark.parametrize(
    "name, arguments, message",
    [
        ("model.h5", {}, "only a model's class name.*save_weights"),
        ("model.hdf5", {}, "only a model's class name"),
        ("MODEL.H5", {}, "only a model's class name"),
        ("model.h5", {"zipped": False}, "only a model's class name"),
        ("model.h5", {"save_format": "h5"}, "only a model's class name"),
        ("model", {}, "not a file name of Keras' native format.*export"),
        ("model.weights.h5", {}, "with `save_weights"),
        ("model", {"save_format": "tf"}, "`save_format` must be omitted, got 'tf'"),
        ("model.keras", {"save_format": "h5"}, "`save_format` must be omitted"),
        ("model.keras", {"include_optimizer": False}, "compile=False"),
    ],
)
def test_other_formats_than_keras_own_are_refused(name, arguments, message):
    with pytest.raises(ValueError, match=message):
        check_format(Path("folder") / name, **arguments)


def test_a_format_that_is_refused_leaves_the_file_as_it_was(tmp_path):
    network = MultiScaleDiscriminator(3, (32, 32, 3), base_filters=1, num_scales=1, num_layers=1)
    path = tmp_path / "model.h5"
    path.write_text("of before")
    with pytest.raises(ValueError, match="could not be loaded again"):
        network.save(path)
    with pytest.raises(ValueError, match=r"/model\.h5' must end in '\.weights\.h5'"):
        network.save_weights(path)
    assert path.read_text() == "of before" and [path] == list(tmp_path.iterdir())
    with pytest.raises(ValueError, match="`quantize`.*quantize the exported model"):
        network.quantize("int8")
    for accepted in ("model.keras", "hf://name/model"):
        check_format(accepted)
    check_format("folder", zipped=False, save_format="keras", include_optimizer=True)
