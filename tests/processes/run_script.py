"""Runs a script of examples/ several times in one process, because starting TensorFlow is slow.

Reads a JSON list of lists of flags. Its last line is a JSON list with the outcome of each run: an
exit code, a message, or a traceback.
"""

import importlib
import json
import sys
import traceback

from absl.testing import flagsaver

sys.path.insert(0, "examples")


def ended_with(script, given):
    """The outcome of a script."""
    sys.argv = [f"examples/{script.__name__}.py", *given]
    with flagsaver.flagsaver():
        try:
            script._errors.run(script.main)
        except SystemExit as end:
            return end.code
        except BaseException:
            return traceback.format_exc()


if __name__ == "__main__":
    cases = json.load(sys.stdin)
    script = importlib.import_module(sys.argv[1])
    print("\n" + json.dumps([ended_with(script, given) for given in cases]))
