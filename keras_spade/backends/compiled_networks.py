"""What `compile(jit_compile=True)` means on PyTorch: each network is compiled by itself."""

import keras


def compile_networks(networks, jit_compile, run_eagerly=False):
    """Compiles networks by `torch.compile`, where that is asked for.

    Keras would hand the whole step to PyTorch's compiler, with the gradients, optimizers and checks
    in it. Networks are what it makes faster.

    Args:
        networks: `keras.Model`s.
        jit_compile: as `GauGAN.compile` takes it. `"auto"` is no.
        run_eagerly: whether nothing is to be compiled.

    Returns:
        What is left to Keras, as its `jit_compile`.
    """
    if keras.backend.backend() != "torch":
        return jit_compile
    import torch

    for network in networks:
        network._compiled_call_impl = None
        if jit_compile is True and not run_eagerly:
            torch.nn.Module.compile(network)
    return False
