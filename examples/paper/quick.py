"""The flag --quick of the experiments."""

from absl import flags


def apply_quick(values):
    """With --quick, gives all flags that are not given small values.

    Args:
        values: by the names of flags.
    """
    if flags.FLAGS.quick:
        for name, value in values.items():
            if not flags.FLAGS[name].present:
                flags.FLAGS[name].value = value
