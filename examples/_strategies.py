"""On which devices a script trains."""

import contextlib

STRATEGIES = {"mirrored": "MirroredStrategy", "multi_worker": "MultiWorkerMirroredStrategy"}


def scope_of(name):
    """What makes the context in which a model is made that trains by a strategy, or "none".

    Args:
        name: one of `STRATEGIES`, or "none".
    """
    if name == "none":
        return contextlib.nullcontext
    try:
        import tensorflow as tf
    except ImportError:
        raise ValueError(f"--strategy={name} needs TensorFlow, which is not installed.") from None
    tf.get_logger().setLevel("WARNING")  # Strategies tell of every sum over workers.
    return getattr(tf.distribute, STRATEGIES[name])().scope
