"""The command `keras_spade_paint`."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

DESCRIPTION = """\
Opens a page to draw a label map and see the picture that a model paints from it.

    keras_spade_paint                                  # with the scenes that come with the package
    keras_spade_paint --model=runs/street/gan.keras    # with a model of your own
    keras_spade_paint --site=painter                   # a folder for any static host instead
"""


def parser() -> argparse.ArgumentParser:
    """The command's flags."""
    flags = argparse.ArgumentParser(
        "keras_spade_paint",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    flags.add_argument(
        "--preset", help='a preset\'s name or folder; "scenes" if there is no --model'
    )
    flags.add_argument(
        "--model", help="a .keras file that GauGAN.save or train.py wrote, or a preset"
    )
    flags.add_argument(
        "--precision",
        default="auto",
        choices=["auto", "float32", "mixed_bfloat16"],
        help="precision of computations; auto: 16 bits on processors that are faster in them",
    )
    flags.add_argument("--maps", metavar="FOLDER", help="label files to start with")
    flags.add_argument(
        "--host", default="127.0.0.1", help="the address to listen on; default: %(default)s"
    )
    flags.add_argument(
        "--port", default=8188, type=int, help="the port; 0: any free one; default: %(default)s"
    )
    flags.add_argument(
        "--open_browser", default=True, action=argparse.BooleanOptionalAction, help="default: yes"
    )
    flags.add_argument(
        "--site", metavar="FOLDER", help="write a page that needs no server, and exit"
    )
    flags.add_argument(
        "--onnxruntime_web",
        metavar="FOLDER",
        help="with --site: the folder dist of the npm package, to copy; by default, browsers load "
        "it from jsDelivr",
    )
    return flags


def main(argv: Sequence[str] | None = None) -> None:
    """Opens the painter, or writes its site.

    Args:
        argv: the arguments; `None`: those of the process.
    """
    options = parser().parse_args(argv)
    try:
        run(options)
    except KeyboardInterrupt:
        print()
    except (ValueError, OSError, ImportError, RuntimeError) as error:
        sys.exit(f"keras_spade_paint: {error}")


def run(options: argparse.Namespace) -> None:
    """Runs the command for the parsed flags."""
    from keras_spade.painting.load_painting_model import load_painting_model
    from keras_spade.painting.page_files import starting_maps
    from keras_spade.painting.server import libraries, serve
    from keras_spade.painting.site import write_site

    if options.onnxruntime_web and not options.site:
        raise ValueError("--onnxruntime_web requires --site.")
    if options.model and options.preset:
        raise ValueError("--model and --preset exclude each other.")
    if options.maps and not Path(options.maps).is_dir():
        raise ValueError(f"--maps={options.maps} is not a folder.")
    if not options.site:
        libraries()  # Before loading the model, which takes longer.
    print("Loading the model ...", flush=True)  # This takes some seconds.
    model = load_painting_model(options.model, options.preset, options.precision)
    maps = starting_maps(model, options.maps)
    if options.site:
        write_site(options.site, model, maps, options.onnxruntime_web)
        size = sum(file.stat().st_size for file in Path(options.site).rglob("*")) / 1e6
        print(f"{options.site} is {size:.1f} MB; try: python -m http.server -d {options.site}")
    else:
        serve(model, maps, options.host, options.port, options.open_browser)
