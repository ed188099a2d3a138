import gc
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# XLA compiles for each new shape, and optimises longer than the small numbers here take.
os.environ.setdefault("JAX_DISABLE_MOST_OPTIMIZATIONS", "1")

import keras
import pytest
from backends import without_gradients

# What the imports made stays; collecting it again and again takes longer than many tests.
gc.freeze()


@pytest.fixture(autouse=True)
def _seed_and_restore():
    """The same random weights every time, and no policy left behind."""
    keras.utils.set_random_seed(0)
    policy, floatx = keras.config.dtype_policy(), keras.config.floatx()
    with without_gradients():
        yield
    keras.config.set_floatx(floatx)
    keras.config.set_dtype_policy(policy)
