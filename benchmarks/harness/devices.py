"""What a benchmark wants of a device, in three libraries: precision, waiting, memory, products.

Each library is imported when its device is made, by a worker.
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
        kind: `"cpu"` or `"gpu"`, the latter for all that is no CPU.
        versions: of the library.
    """

    name = kind = ""

    def set_precision(self, precision):
        """Sets how products of float32 are computed: exactly with "float32", else in TF32.

        Raises:
            SkippedError: if the device has no TF32, which is asked for.
        """
        raise NotImplementedError

    def put(self, array):
        """A NumPy array on the device."""
        import keras

        return keras.ops.convert_to_tensor(array)

    def wait(self, result):
        """Waits until a result, or all that was begun, is complete."""
        raise NotImplementedError

    def release(self):
        """Gives back memory that is not in use, as far as the library does."""
        gc.collect()

    def allocated(self):
        """Bytes in use now, and the most so far; `None` on a CPU."""

    def forget_peak(self):
        """Begins to measure the peak of `allocated` anew; `False` where that is not possible."""
        return False

    def held(self):
        """Bytes in use now; on a CPU the process's resident memory."""
        allocated = self.allocated()
        return machine.resident() if allocated is None else allocated[0]

    def peak(self):
        """The most bytes that were in use."""
        allocated = self.allocated()
        return machine.peak() if allocated is None else allocated[1]

    def reset_peak(self):
        """Begins to measure the peak anew; `False` where that is not possible."""
        return machine.reset_peak() if self.allocated() is None else self.forget_peak()

    def matrix_rate(self, precision):
        """Floating point operations a second of the fastest of some large matrix products."""
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
    """PyTorch's, CUDA's if there is one."""

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
        """A context in which products are in bfloat16, with that precision."""
        if precision != "bfloat16":
            return contextlib.nullcontext()
        # Weights change between the two updates of a step; a cache would keep the old ones.
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
    """JAX's default device. On a GPU the peak of its memory is that of all so far."""

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
