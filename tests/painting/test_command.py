import pytest

from keras_spade.painting import main
from keras_spade.painting.command import parser

pytestmark = pytest.mark.once


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--preset=scenes", "--model=a.keras"], "--model and --preset exclude each other"),
        (["--onnxruntime_web=dist"], "--onnxruntime_web requires --site"),
        (["--maps=nowhere"], "--maps=nowhere is not a folder"),
        (["--model=nowhere.keras"], "--model=nowhere.keras: no such file"),
        (["--preset=landscape"], "'landscape' is neither the name of a preset nor a folder"),
    ],
)
def test_wrong_flags_are_reported_in_one_line(flags, message):
    with pytest.raises(SystemExit) as error:
        main(flags)
    assert str(error.value).startswith("keras_spade_paint: ")
    assert message in str(error.value) and "\n" not in str(error.value)


def test_defaults():
    options = parser().parse_args([])
    assert (options.host, options.port, options.open_browser) == ("127.0.0.1", 8188, True)
    assert options.precision == "auto"
    assert parser().parse_args(["--no-open_browser"]).open_browser is False
