"""Devices for benchmarks in three libraries: precision, waiting, memory, matrix products.

Each library is imported when a worker creates its device.
"""

import contextlib
import gc
import time

from benchmarks.harness import machine
from benchmarks.harness.run import SkippedError

MATRIX = {"cpu": 1024, "gpu": 8192}
MATRIX_SECONDS = 0.5
NO_TF32 = "TF32 is not on this device"


class Device:
    """The first device of a library.

    Attributes:
        name: of the device.
        kind: `"cpu"` or `"gpu"`, the latter for everything other than a CPU.
        versions: of the library.
    """

    name = kind = ""

    def set_precision(self, precision):
        """Sets how float32 products are computed: exactly with "float32", otherwise in TF32.

        Raises:
            SkippedError: if TF32 is requested and the device lacks it.
        """
        raise NotImplementedError

    def put(self, array):
        """Copies a NumPy array to the device."""
        import keras

        return keras.ops.convert_to_tensor(array)

    def wait(self, result):
        """Waits until a result, or everything started so far, is complete."""
        raise NotImplementedError

    def release(self):
        """Releases unused memory, as far as the library supports it."""
        gc.collect()

    def allocated(self):
        """Bytes currently in use, and the peak so far; `None` on a CPU."""

    def forget_peak(self):
        """Resets the peak of `allocated`; returns `False` if that is impossible."""
        return False

    def held(self):
        """Bytes currently in use; on a CPU, the process's resident memory."""
        allocated = self.allocated()
        return machine.resident() if allocated is None else allocated[0]

    def peak(self):
        """The peak of bytes in use."""
        allocated = self.allocated()
        return machine.peak() if allocated is None else allocated[1]

    def reset_peak(self):
        """Resets the peak; returns `False` if that is impossible."""
        return machine.reset_peak() if self.allocated() is None else self.forget_peak()

    def matrix_rate(self, precision):
        """Floating point operations per second of the fastest of some large matrix products."""
        import keras

        size, dtype = MATRIX[self.kind], "bfloat16" if precision == "bfloat16" else "float32"
        a, b = (keras.random.normal((size, size), dtype=dtype) for _ in "ab")
        self.wait(keras.ops.matmul(a, b))
        fastest, end = float("inf"), time.perf_counter() + MATRIX_SECONDS
        while time.perf_counter() < end or fastest == float("inf"):
            start = time.perf_counter()
            self.wait(keras.ops.matmul(a, b))
            fastest = min(fastest, time.perf_counter() - start)
        return 2 * size**3 / fastest


class TorchDevice(Device):
    """PyTorch's device, CUDA if available."""

    def __init__(self):
        import torch

        self.torch = torch
        self.kind = "gpu" if torch.cuda.is_available() else "cpu"
        self.device = torch.device("cuda" if self.kind == "gpu" else "cpu")
        self.name = torch.cuda.get_device_name() if self.kind == "gpu" else "CPU"
        self.versions = {"torch": torch.__version__}

    def set_precision(self, precision):
        if precision == "tf32" and self.kind == "cpu":
            raise SkippedError(NO_TF32)
        if self.kind == "gpu":
            self.torch.backends.cuda.matmul.allow_tf32 = precision != "float32"
            self.torch.backends.cudnn.allow_tf32 = precision != "float32"

    def autocast(self, precision):
        """A context in which products use bfloat16, for that precision."""
        if precision != "bfloat16":
            return contextlib.nullcontext()
        # Weights change between the two updates of a step; a cache would return stale ones.
        bfloat16 = self.torch.bfloat16
        return self.torch.autocast(self.device.type, bfloat16, cache_enabled=False)

    def wait(self, result):
        if self.kind == "gpu":
            self.torch.cuda.synchronize()

    def release(self):
        super().release()
        if self.kind == "gpu":
            self.torch.cuda.empty_cache()

    def allocated(self):
        if self.kind == "gpu":
            return self.torch.cuda.memory_allocated(), self.torch.cuda.max_memory_allocated()

    def forget_peak(self):
        self.torch.cuda.reset_peak_memory_stats()
        return True


class JaxDevice(Device):
    """JAX's default device. On a GPU, its memory peak covers the whole run so far."""

    def __init__(self):
        import jax

        self.jax = jax
        self.device = jax.devices()[0]
        self.kind = "cpu" if self.device.platform == "cpu" else "gpu"
        self.name = "CPU" if self.kind == "cpu" else self.device.device_kind
        self.versions = {"jax": jax.__version__}

    def set_precision(self, precision):
        if precision == "tf32" and self.device.platform not in ("gpu", "cuda"):
            raise SkippedError(NO_TF32)
        highest = "highest" if precision == "float32" else "tensorfloat32"
        self.jax.config.update("jax_default_matmul_precision", highest)

    def wait(self, result):
        self.jax.block_until_ready(result)

    def allocated(self):
        if memory := self.device.memory_stats():
            return memory["bytes_in_use"], memory["peak_bytes_in_use"]


class TensorflowDevice(Device):
    """TensorFlow's first GPU, or the CPU."""

    def __init__(self):
        import tensorflow as tf

        self.tf = tf
        gpus = tf.config.list_physical_devices("GPU")
        self.kind = "gpu" if gpus else "cpu"
        details = tf.config.experimental.get_device_details(gpus[0]) if gpus else {}
        self.name = details.get("device_name", self.kind.upper())
        self.versions = {"tensorflow": tf.__version__}

    def set_precision(self, precision):
        if precision == "tf32" and self.kind == "cpu":
            raise SkippedError(NO_TF32)
        self.tf.config.experimental.enable_tensor_float_32_execution(precision != "float32")

    def wait(self, result):
        self.tf.test.experimental.sync_devices()

    def allocated(self):
        if self.kind == "gpu":
            memory = self.tf.config.experimental.get_memory_info("GPU:0")
            return memory["current"], memory["peak"]

    def forget_peak(self):
        self.tf.config.experimental.reset_memory_stats("GPU:0")
        return True


DEVICES = {"torch": TorchDevice, "jax": JaxDevice, "tensorflow": TensorflowDevice}
