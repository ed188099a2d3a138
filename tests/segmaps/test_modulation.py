"""On which devices `"auto"` means patterns."""

from types import SimpleNamespace

import pytest
from support.backends import only_on

from keras_spade.segmaps import modulation


@only_on("torch", "how Keras chooses its device")
@pytest.mark.parametrize(
    "has, chosen, on_cpu",
    [
        ([], None, True),
        (["cuda"], None, False),
        (["mps"], None, False),
        (["xpu"], None, False),
        (["cuda"], "cpu", True),
        (["mps"], "cpu:0", True),
        ([], "mps", False),
    ],
)
def test_on_pytorch_the_device_is_that_of_keras(monkeypatch, has, chosen, on_cpu):
    import torch

    for name in ("cuda", "mps", "xpu"):
        found = SimpleNamespace(is_available=lambda name=name: name in has)
        monkeypatch.setattr(torch.backends if name == "mps" else torch, name, found)
    monkeypatch.delenv("KERAS_TORCH_DEVICE", raising=False)
    if chosen:
        monkeypatch.setenv("KERAS_TORCH_DEVICE", chosen)
    assert modulation.on_cpu() == on_cpu
    assert modulation.resolve_modulation("auto", 35) == ("auto" if on_cpu else "dense")
