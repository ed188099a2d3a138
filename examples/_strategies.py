"""The devices that a script trains on."""

import contextlib

STRATEGIES = {"mirrored": "MirroredStrategy", "multi_worker": "MultiWorkerMirroredStrategy"}


def scope_of(name):
    """Returns a function that opens the scope of a strategy, in which to create the model.

    Args:
        name: one of `STRATEGIES`, or "none".
    """
    if name == "none":
        return contextlib.nullcontext
    try:
        import tensorflow as tf
    except ImportError:
        raise ValueError(f"--strategy={name} needs TensorFlow, which is not installed.") from None
    tf.get_logger().setLevel("WARNING")  # Strategies log every reduction over workers.
    return getattr(tf.distribute, STRATEGIES[name])().scope
