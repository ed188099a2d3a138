"""Prints a table of the differences between the package and the reference implementation.

    python tests/reference/print_parity.py

Reads `tests/golden/nvlabs`, and `../shared/golden/open` next to the checkout if it exists.
"""

import os
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path[:0] = [str(Path(__file__).resolve().parents[i]) for i in (1, 2)]

import keras
import numpy as np
import tensorflow as tf
from models.test_training_steps import NORMS, Run, build
from support.golden_files import channels_last, golden_names, load_golden, relative_error

from keras_spade import MultiScaleDiscriminator, SPADEResBlock, StyleEncoder
from keras_spade.checkpoints import load_nvlabs_weights, nvlabs_weights
from keras_spade.checkpoints._nvlabs_names import _conv, _spade
from keras_spade.layers import instance_edges


class Patches:
    """The part of pytest's monkeypatch that `Run` needs."""

    def setattr(self, target, name, value):
        """Replaces an attribute for the rest of the process."""
        setattr(target, name, value)


def block_errors(name):
    """Outputs and gradients of a residual block."""
    golden = load_golden(name)
    norm = golden.config["norm"]
    y = channels_last(golden["out/eval/y"])
    x, segmap = channels_last(golden["in/x"]), channels_last(golden["in/seg"])
    layer = SPADEResBlock(
        y.shape[-1],
        norm=NORMS[norm.removeprefix("spectral").removeprefix("spade").removesuffix("3x3")],
        spectral_norm="spectral" in norm,
    )
    layer.build(x.shape, segmap.shape)
    entries = {}
    for part in ("0", "1", "s") if layer.learned_shortcut else ("0", "1"):
        entries |= _conv(f"conv_{part}", getattr(layer, f"conv_{part}"))
        entries |= _spade(f"norm_{part}", getattr(layer, f"norm_{part}"))
    for key, entry in entries.items():
        entry.variable.assign(entry.to_keras(golden[f"state/{key}"]))
    errors = {"output": relative_error(layer(x, segmap), y)}
    trained = {k: e for k, e in entries.items() if e.variable.trainable}
    trained = {k: e for k, e in trained.items() if k not in golden.meta["zero_grad_params"]}
    with tf.GradientTape() as tape:
        output = layer(x, segmap, training=True)
        loss = tf.reduce_sum(output * channels_last(golden["in/grad_seed"]))
    gradients = tape.gradient(loss, [entry.variable for entry in trained.values()])
    errors["gradient"] = max(
        relative_error(entry.to_torch(np.array(gradient)), golden[f"out/train/grad/{key}"])
        for (key, entry), gradient in zip(trained.items(), gradients, strict=True)
    )
    return errors


def generator_errors(name):
    """The image."""
    golden = load_golden(name)
    want = channels_last(golden["out/y"])
    generator = build(golden.config, want.shape[1:])["netG"]
    load_nvlabs_weights(generator, golden.below("state/"))
    labels = golden["in/label"][:, 0]
    inputs = {"labels": np.where(labels == 255, golden.config["label_nc"], labels)}
    if "in/instance" in golden:
        inputs["edges"] = np.array(instance_edges(golden["in/instance"][:, 0]))
    if "in/z" in golden:
        inputs["latent"] = golden["in/z"]
    return {"output": relative_error(generator(inputs), want)}


def discriminator_errors(name):
    """All features in inference, and u, v and batch statistics after a training call."""
    golden = load_golden(name)
    x = channels_last(golden["in/x"])
    norm = golden.config["norm_D"].removeprefix("spectral")
    network = MultiScaleDiscriminator(
        x.shape[-1] - 3,
        (*x.shape[1:3], 3),
        base_filters=golden.config["ndf"],
        norm=norm,
        conditioning="dense",
    )
    load_nvlabs_weights(network, golden.below("state/"))
    inputs = {"segmap": x[..., :-3], "image": x[..., -3:]}
    errors = {
        "output": max(
            relative_error(feature, channels_last(golden[f"out/eval/scale{i}/feat{j}"]))
            for i, scale in enumerate(network(inputs))
            for j, feature in enumerate(scale)
        )
    }
    network(inputs, training=True)
    return errors | {"buffers": buffer_errors(network, golden)}


def encoder_errors(name):
    """Mean and log variance in inference, and u and v after a training call."""
    golden = load_golden(name)
    image = channels_last(golden["in/x"])
    network = StyleEncoder(image.shape[1:], base_filters=golden.config["ngf"])
    load_nvlabs_weights(network, golden.below("state/"))
    outputs = zip(network(image), ("mu", "logvar"), strict=True)
    errors = {"output": max(relative_error(y, golden[f"out/eval/{k}"]) for y, k in outputs)}
    network(image, training=True)
    return errors | {"buffers": buffer_errors(network, golden)}


def buffer_errors(network, golden):
    """The largest error of the variables that a training call moves."""
    ours = nvlabs_weights(network)
    return max(
        relative_error(ours[key], value)
        for key, value in golden.below("out/train/state/").items()
        if key in ours
    )


def worst(function, prefix):
    """The largest of each error over all golden files of a kind."""
    result = {}
    names = golden_names(prefix)
    for name in names:
        for key, error in function(name).items():
            result[key] = max(result.get(key, 0.0), float(error))
    return len(names), result


def step_rows(floatx):
    """Complete training steps in one precision."""
    keras.config.set_floatx(floatx)
    keras.config.set_dtype_policy(floatx)
    for name in golden_names("train_step_"):
        normal = keras.random.normal
        run = Run(load_golden(name), Patches(), run_eagerly=True)
        keras.random.normal = normal
        gradients = np.array(list(run.gradient_errors().values()))
        kind = "with encoder" if run.golden.config["use_vae"] else "without encoder"
        yield f"step 1, {kind}, {floatx}: losses", f"{max(run.loss_errors(1).values()):.0e}"
        yield f"step 1, {kind}, {floatx}: gradients, median", f"{np.median(gradients):.0e}"
        yield f"step 3, {kind}, {floatx}: losses", f"{max(run.loss_errors(3).values()):.0e}"
        share = np.mean(run.state_errors(3) > 1e-5)
        yield f"step 3, {kind}, {floatx}: weights off by more than 1e-5", f"{100 * share:.2f} %"


def main():
    """Prints the table."""
    print("| what | largest error |\n|---|---|")
    for label, function, prefix in (
        ("residual block", block_errors, "resblock_"),
        ("generator", generator_errors, "generator_"),
        ("discriminator", discriminator_errors, "discriminator_"),
        ("encoder", encoder_errors, "encoder_"),
    ):
        count, errors = worst(function, prefix)
        for key, error in errors.items():
            print(f"| {label}, {key} ({count} files) | {error:.0e} |")
    for floatx in ("float32", "float64"):
        for label, value in step_rows(floatx):
            print(f"| {label} | {value} |")


if __name__ == "__main__":
    main()
