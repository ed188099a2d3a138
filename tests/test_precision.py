import keras
import ml_dtypes
import numpy as np
import pytest
from support.backends import sixty_four_bits
from support.harness import to_numpy

from keras_spade.precision import (
    full_precision,
    full_precision_dtype,
    processor_has_bfloat16,
)

DTYPES = [
    ("bfloat16", "float32"),
    ("float16", "float32"),
    ("float32", "float32"),
    ("float64", "float64"),
]


@pytest.mark.parametrize(("dtype", "want"), DTYPES)
@sixty_four_bits()
def test_no_dtype_narrower_than_float32(dtype, want):
    assert full_precision_dtype(dtype) == want
    numbers = np.array([1.0, -0.1, 300.0]).astype(getattr(ml_dtypes, dtype, dtype))
    tensor = keras.ops.convert_to_tensor(numbers)
    for x in (tensor, keras.Variable(tensor, dtype=dtype)):
        got = full_precision(x)
        assert keras.backend.standardize_dtype(got.dtype) == want
        np.testing.assert_array_equal(to_numpy(got), numbers.astype(want))


@pytest.mark.parametrize("floatx", ["bfloat16", "float64"])
def test_the_default_float_does_not_matter(floatx):
    keras.config.set_floatx(floatx)
    for dtype, want in DTYPES:
        assert full_precision_dtype(dtype) == want


@pytest.mark.parametrize(
    ("flags", "has"),
    [
        ("fpu sse2 avx2 fma avx512f avx512_bf16 avx512_fp16", True),  # Zen 4, Cooper Lake
        ("fpu avx512f amx_bf16 avx512_fp16 amx_tile amx_int8", True),  # Sapphire Rapids
        ("fpu sse2 avx2 fma avx512f avx512_vnni avx512_bitalg", False),  # Ice Lake
    ],
)
def test_processors_with_bfloat16(tmp_path, flags, has):
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text(
        f"processor\t: 0\nmodel name\t: avx512_bf16\nflags\t\t: {flags}\nbugs\t\t: spectre_v1\n"
    )
    assert processor_has_bfloat16(cpuinfo) is has
    assert processor_has_bfloat16(tmp_path / "none") is False
