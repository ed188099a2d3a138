"""One-line errors for scripts."""

import contextlib
import sys
from pathlib import Path

from absl import app


def run(main):
    """Runs a script; errors in flags or data, and Ctrl-C, are reported in one line."""

    def guarded(argv):
        try:
            if len(argv) > 1:
                raise ValueError(f"Unknown arguments: {argv[1:]}")
            return main(argv)
        except (ValueError, OSError) as error:
            message = error
        except (ImportError, RuntimeError) as error:
            if type(error) not in (ImportError, RuntimeError):  # Some subclasses indicate a bug.
                raise
            message = error
        except KeyboardInterrupt:
            print(f"{sys.argv[0]}: interrupted.", file=sys.stderr)
            return 130
        sys.exit(f"{sys.argv[0]}: {message}{_flag_of_mapping(str(message))}")

    app.run(guarded)


def check_output(flag, path):
    """Raises an error if the path in a flag is a folder, or if its folder does not exist."""
    if Path(path).is_dir():
        raise ValueError(f"--{flag}={path} is a folder; pass a file.")
    if not Path(path).parent.is_dir():
        raise ValueError(f"--{flag}={path}: there is no folder {Path(path).parent}.")


def check_weights(flag, weights, instead):
    """Raises an error if a flag names a file of weights that does not exist.

    Args:
        flag: name of the flag.
        weights: its value, "imagenet" or a file.
        instead: a sentence about what to pass instead.
    """
    if weights != "imagenet" and not Path(weights).is_file():
        raise ValueError(f"--{flag}={weights}: no such file. {instead}")


@contextlib.contextmanager
def about_weights(flag, weights, instead):
    """While weights of a VGG are loaded: errors name the flag, in one line.

    Args:
        flag: as in `check_weights`.
        weights: as in `check_weights`.
        instead: as in `check_weights`.
    """
    given = f"--{flag}={weights}"
    try:
        yield
    except RuntimeError as error:
        if weights != "imagenet" or error.__cause__ is None:
            raise
        why = f"{given}: the ImageNet weights are unavailable ({error.__cause__}). {instead}"
    except ImportError as error:
        why = f"{given}: {error}"
    except ValueError as error:
        why = str(error).replace("`weights`", given)
        why = why.replace("network='vgg16'", "--perceptual_network=vgg16")
    else:
        return
    raise ValueError(" ".join(why.split()))


def _flag_of_mapping(message):
    """How to pass the label mapping in a message to a script."""
    if "LabelMapping(" not in message:
        return ""
    return (
        "; here as --data_options=\"{'label_mapping': {'offset': -1}}\", a dict of its arguments, "
        "in every script"
    )
