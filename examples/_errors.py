"""One-line errors for scripts."""

import sys

from absl import app


def run(main):
    """Runs a script; errors in flags or data are reported in one line, without a traceback."""

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
        sys.exit(f"{sys.argv[0]}: {message}{_flag_of_mapping(str(message))}")

    app.run(guarded)


def _flag_of_mapping(message):
    """How to pass the label mapping in a message to a script."""
    if "LabelMapping(" not in message:
        return ""
    return (
        "; here as --data_options=\"{'label_mapping': {'offset': -1}}\", a dict of its arguments, "
        "in every script"
    )
