"""The options on which results of the paper's tables depend."""

import time

from absl.testing import flagsaver

from examples.paper import options


def settings(*flags):
    with flagsaver.flagsaver():
        options.FLAGS(["table", *flags])
        return options.settings(perceptual_weight=3.0)


def test_moved_files_are_the_same_and_other_weights_are_not(tmp_path):
    one, moved, other = (tmp_path / name for name in ("one.h5", "moved.h5", "other.h5"))
    for path in (one, moved):
        path.write_bytes(b"abc")
    other.write_bytes(b"abd")
    first = settings("--data=here", "--validation_data=a", f"--vgg16={one}")
    # The digest of b"abc" in FIPS 180-2, appendix B.1.
    assert first["vgg16"] == "sha256 ba7816bf8f01cfea"
    assert first == settings("--data=there", "--validation_data=b", f"--vgg16={moved}")
    assert first != settings("--data=here", "--validation_data=a", f"--vgg16={other}")
    assert first != settings("--data=here", f"--vgg16={one}")
    assert settings()["data"] == "scenes" and settings()["vgg16"] is None


def test_processor_time_does_not_count_waiting():
    with flagsaver.flagsaver():
        options.FLAGS(["table", "--clock=processor"])
        start = options.clock()()
        time.sleep(0.3)
        assert options.clock()() - start < 0.2
        options.FLAGS(["table", "--clock=wall"])
        start = options.clock()()
        time.sleep(0.3)
        assert options.clock()() - start >= 0.3
