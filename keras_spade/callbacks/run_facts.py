"""The facts in the report of a run: settings, machine, versions."""

import dataclasses
import importlib
import os
import platform
import shutil
import subprocess
from pathlib import Path

import keras

from keras_spade.compiled_gan import CompiledGan
from keras_spade.version import __version__


def run_facts(model: CompiledGan, params: dict, given: dict) -> dict[str, dict[str, str]]:
    """The settings of a training as text, by title and name.

    Args:
        model: a compiled `GauGAN`.
        params: the `params` of Keras' callbacks.
        given: further settings, a dict of titles to dicts or strings.
    """
    names = ("generator", "discriminator", "encoder")
    networks = {name: getattr(model, name) for name in names}
    networks = {name: network for name, network in networks.items() if network is not None}
    facts = {
        "training": {k: v for k, v in params.items() if k != "verbose"} | {"seed": model.seed},
        "losses": _losses(model.objective),
        "generator's optimizer": _optimizer(model.generator_optimizer),
        "discriminator's optimizer": _optimizer(model.discriminator_optimizer),
        **{name: _network(network) for name, network in networks.items()},
        **{
            name: values if isinstance(values, dict) else {"": values}
            for name, values in given.items()
        },
        "machine": machine(),
        "versions": versions(),
    }
    return {title: {k: _text(v) for k, v in group.items()} for title, group in facts.items()}


def machine() -> dict[str, str]:
    """The processor, the device of tensors, and the available GPUs."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    facts = {
        "system": platform.platform(),
        "processor": names[0] if names else platform.processor() or platform.machine(),
        "cores": str(os.cpu_count()),
        "device": str(keras.ops.zeros(()).device).rpartition("device:")[2],
    }
    if shutil.which("nvidia-smi"):
        asked = ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"]
        names = subprocess.run(asked, capture_output=True, text=True, check=False).stdout
        facts["GPUs"] = ", ".join(names.split("\n")).strip(", ")
    return facts


def versions() -> dict[str, str]:
    """The versions of Python, this package and its numerical libraries."""
    backend = keras.backend.backend()
    found = {"keras_spade": __version__, "Python": platform.python_version()}
    for name in ("keras", backend, "numpy"):
        found[name] = importlib.import_module(name).__version__
    return found | {"backend": backend}


def _losses(objective):
    """The losses and weights, without weights of losses that are turned off."""
    unused = ["networks"]
    unused += ["perceptual_weight"] if objective.perceptual_loss is None else []
    unused += ["kl_weight", "kl_reduction"] if objective.networks.encoder is None else []
    names = [field.name for field in dataclasses.fields(objective)]
    return {name: getattr(objective, name) for name in names if name not in unused}


def _optimizer(optimizer):
    optimizer = getattr(optimizer, "inner_optimizer", optimizer)
    unused = ("name",) if optimizer.use_ema else ("name", "ema_momentum")
    settings = {k: v for k, v in optimizer.get_config().items() if k not in unused}
    settings = {k: v for k, v in settings.items() if v is not None and v is not False}
    return {"class": type(optimizer).__name__} | settings


def _network(network):
    settings = {
        k: v for k, v in network.get_config().items() if k not in ("name", "dtype", "classes")
    }
    size = f"{network.count_params():,}"
    policy = network.dtype_policy.name
    return {"class": type(network).__name__, "weights": size, "dtype": policy} | settings


def _text(value):
    """A setting in a few words: objects by the name of their class or function."""
    if isinstance(value, dict):
        return ", ".join(f"{k}={_text(v)}" for k, v in value.items())
    if isinstance(value, float):
        return f"{value:.4g}"
    if value is None or isinstance(value, (str, int, list, tuple)):
        return str(value)
    name = getattr(value, "__name__", type(value).__name__)
    if isinstance(value, keras.Model) or not hasattr(value, "get_config"):
        return name
    try:
        return f"{name}({_text(value.get_config())})"
    except ValueError:  # It holds objects without a config.
        return name
