"""What a benchmark wants of a device, in three libraries: precision, waiting, memory, products.

Each library is imported when its device is made, by a worker.
"""

import contextlib
import gc
import time

import _memory
from _variants import SkippedError

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
        raise NotImplementedError

    def wait(self, result):
        """Waits until a result, or all that was begun, is complete."""
        raise NotImplementedError

    def release(self):
        """Gives back memory that is not in use, as far as the library does."""
        gc.collect()

    def reset_peak(self):
        """Begins to measure the peak of memory anew, where that is possible."""
        _memory.reset_peak()

    def peak(self):
        """The most bytes that were in use; on a CPU the peak of the process's resident memory."""
        return _memory.peak()

    def product(self, size, dtype):
        """A function of no arguments that multiplies two random square matrices."""
        raise NotImplementedError

    def matrix_rate(self, precision):
        """Floating point operations a second of the fastest of some large matrix products."""
        size = MATRIX[self.kind]
        product = self.product(size, "bfloat16" if precision == "bfloat16" else "float32")
        self.wait(product())
        fastest, end = float("inf"), time.perf_counter() + MATRIX_SECONDS
        while time.perf_counter() < end or fastest == float("inf"):
            start = time.perf_counter()
            self.wait(product())
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

    def put(self, array):
        return self.torch.from_numpy(array).to(self.device)

    def wait(self, result):
        if self.kind == "gpu":
            self.torch.cuda.synchronize()

    def release(self):
        super().release()
        if self.kind == "gpu":
            self.torch.cuda.empty_cache()

    def reset_peak(self):
        if self.kind == "gpu":
            self.torch.cuda.reset_peak_memory_stats()
        else:
            super().reset_peak()

    def peak(self):
        return self.torch.cuda.max_memory_allocated() if self.kind == "gpu" else super().peak()

    def product(self, size, dtype):
        dtype = getattr(self.torch, dtype)
        a, b = (self.torch.randn(size, size, device=self.device, dtype=dtype) for _ in "ab")
        return lambda: a @ b


class JaxDevice(Device):
    """JAX's default device. The peak of its memory is never reset: it is that of all so far."""

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

    def put(self, array):
        return self.jax.device_put(array, self.device)

    def wait(self, result):
        self.jax.block_until_ready(result)

    def peak(self):
        memory = self.device.memory_stats()
        return memory["peak_bytes_in_use"] if memory else super().peak()

    def product(self, size, dtype):
        keys = self.jax.random.split(self.jax.random.key(0))
        a, b = (self.jax.random.normal(key, (size, size), dtype) for key in keys)
        multiply = self.jax.jit(self.jax.numpy.matmul)
        return lambda: multiply(a, b)


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

    def put(self, array):
        with self.tf.device("GPU:0" if self.kind == "gpu" else "CPU:0"):
            return self.tf.identity(array)

    def wait(self, result):
        self.tf.test.experimental.sync_devices()

    def reset_peak(self):
        if self.kind == "gpu":
            self.tf.config.experimental.reset_memory_stats("GPU:0")
        else:
            super().reset_peak()

    def peak(self):
        if self.kind == "cpu":
            return super().peak()
        return self.tf.config.experimental.get_memory_info("GPU:0")["peak"]

    def product(self, size, dtype):
        a, b = (self.tf.cast(self.tf.random.normal((size, size)), dtype) for _ in "ab")
        multiply = self.tf.function(lambda: self.tf.matmul(a, b))
        return multiply


DEVICES = {"torch": TorchDevice, "jax": JaxDevice, "tensorflow": TensorflowDevice}
