"""Section 3 of the paper: do norms wash the label map away?

    python -m examples.paper.washed_away --data=camvid --dataset=camvid --validation_split=val \\
        --image_size=96,128

For every layer of a pix2pixHD generator and of ours, the share of the variance of its activations
that labels explain,

    sum_k n_k |mean of class k - mean|^2 / sum |activation - mean|^2,

for maps of one label each (all classes in turn), and for the validation maps. The networks have
instance norm and random weights with He initialisation, so that no layer starts small; if
--run_dir holds a table's models, the trained weights of seed 0 are included. It prints a table, and
writes washed_away.md and washed_away.png to --run_dir.
"""

import pathlib

import keras
import matplotlib
import numpy as np

from examples import _errors
from examples.paper import options
from examples.paper.networks import Pix2PixHD
from examples.paper.options import FLAGS
from examples.paper.samples import Samples
from examples.paper.table import markdown
from keras_spade import SPADEGenerator, files, layers

matplotlib.use("Agg")
import matplotlib.pyplot as plt

# Variances below this are rounding: an instance norm divides by at least sqrt(1e-5), so an error
# in the last digits of a mean becomes 1e-4.
ROUNDING = 1e-6
MAPS = 16  # Number of validation maps.
ROWS = {"pix2pixhd_seed_0": "pix2pixHD", "ours_seed_0": "ours"}


def explained_share(activations, labels):
    """The share of the variance of activations that labels explain, over all channels.

    Args:
        activations: `(maps, h, w, channels)`.
        labels: integers `(maps, h, w)`.

    Returns:
        A float from 0 (each class has the same mean, or nothing varies) to 1 (each class has one
        value).
    """
    x = np.asarray(activations, "float64").reshape(-1, activations.shape[-1])
    classes, index, counts = np.unique(labels, return_inverse=True, return_counts=True)
    x = x - x.mean(axis=0)
    total = np.sum(x**2)
    if total <= ROUNDING * x.size:
        return 0.0
    sums = np.zeros((len(classes), x.shape[1]))
    np.add.at(sums, index.ravel(), x)
    return float(np.sum(sums**2 / counts[:, None]) / total)


def layers_of(generator):
    """The examined layers, from the label map to the image."""
    if isinstance(generator, Pix2PixHD):
        steps = ["first_relu", *(f"down_{i + 1}_relu" for i in range(generator.downsamplings))]
        steps += [f"block_{i}_sum" for i in range(generator.blocks)]
        return steps + [f"up_{i}_relu" for i in reversed(range(generator.downsamplings))]
    blocks = [layer.name for layer in generator.layers if isinstance(layer, layers.SPADEResBlock)]
    return blocks


def shares(generator, inputs):
    """The explained share after each layer.

    Args:
        generator: of `conditioning="labels"`.
        inputs: its input arrays by name.
    """
    names = [*layers_of(generator), "conv_img"]
    looked_at = keras.Model(generator.input, [generator.get_layer(name).output for name in names])
    found = [[] for _ in names]
    for i in range(0, len(inputs["labels"]), 4):
        batch = {name: array[i : i + 4] for name, array in inputs.items()}
        for arrays, x in zip(found, looked_at(batch, training=False), strict=True):
            arrays.append(keras.ops.convert_to_numpy(x))
    found = [np.concatenate(arrays) for arrays in found]
    labels = [layers.nearest_resize(inputs["labels"], *x.shape[1:3]) for x in found]
    return {
        name: explained_share(x, keras.ops.convert_to_numpy(m))
        for name, x, m in zip(names, found, labels, strict=True)
    }


def generators(samples, run_dir):
    """Generators by name: with random weights, and trained ones."""
    keras.utils.set_random_seed(FLAGS.seed)
    common = {
        **samples.conditioning,
        "image_shape": samples.image_shape,
        "base_filters": FLAGS.base_filters,
        "modulation": FLAGS.modulation,
        "norm": "instance",
    }
    ours = {"latent_dim": None, "hidden_filters": FLAGS.hidden_filters, "spectral_norm": False}
    found = {"pix2pixHD": Pix2PixHD(**common), "ours": SPADEGenerator(**common, **ours)}
    for generator in found.values():
        draw_kernels(generator)
    for folder, name in ROWS.items():
        path = run_dir / "painted" / folder / "gan.keras"
        if path.exists():
            trained = keras.models.load_model(path, compile=False).generator
            found[f"{name}, trained"] = trained
    return found


def draw_kernels(generator):
    """Sets all kernels to new random values of deviation `sqrt(2 / inputs)`."""
    draw = keras.initializers.VarianceScaling(2.0, "fan_in", "untruncated_normal")
    for weight in generator.trainable_weights:
        if len(weight.shape) > 1:
            weight.assign(draw(weight.shape))


def label_inputs(samples):
    """Maps of one label each, and validation maps, as inputs of generators."""
    count = samples.num_classes
    real = samples.labels[:MAPS]
    uniform = np.ones((count, *real.shape[1:]), "int32") * np.arange(count)[:, None, None]
    kinds = {"one label a map": uniform, "validation maps": real}
    if samples.conditioning["instance_edges"]:
        return {k: {"labels": x, "edges": np.zeros(x.shape, "float32")} for k, x in kinds.items()}
    return {k: {"labels": x.astype("int32")} for k, x in kinds.items()}


def draw(found, path):
    """Plots a panel for each kind of label map, with a line for each generator.

    Args:
        found: shares by layer, by generator, by kind.
        path: of the picture.
    """
    figure, axes = plt.subplots(1, len(found), figsize=(5 * len(found), 3.6), sharey=True)
    for axis, (kind, of_generators) in zip(axes, found.items(), strict=True):
        for name, of_layers in of_generators.items():
            places = np.linspace(0, 1, len(of_layers))
            axis.plot(places, list(of_layers.values()), marker=".", label=name)
        axis.set_title(kind)
        axis.set_xlabel("depth: first layer 0, image 1")
        axis.set_ylim(-0.03, 1.03)
    axes[0].set_ylabel("share of variance explained by labels")
    axes[0].legend(fontsize=8)
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    plt.close(figure)


def main(argv):
    """Prints the table and draws the figure."""
    options.apply_quick()
    run_dir = pathlib.Path(FLAGS.run_dir)
    run_dir.mkdir(parents=True, exist_ok=True)
    samples = Samples.load()
    networks = generators(samples, run_dir)
    found = {
        kind: {name: shares(generator, inputs) for name, generator in networks.items()}
        for kind, inputs in label_inputs(samples).items()
    }
    rows = [
        [name, layer, *(f"{of_generators[name][layer]:.3f}" for of_generators in found.values())]
        for name, generator in networks.items()
        for layer in [*layers_of(generator), "conv_img"]
    ]
    notes = [
        samples.protocol,
        f"{min(MAPS, samples.count)} of the validation maps",
        "values above 0 for maps of one label after instance norms alone are rounding errors, "
        "amplified by the norms, and zeros at borders",
    ]
    title = "Section 3: share of the variance of activations that labels explain"
    text = markdown(title, ["generator", "behind layer", *found], rows, notes)
    with files.replacing(run_dir / "washed_away.md") as partial:
        partial.write_text(text)
    draw(found, run_dir / "washed_away.png")
    print(text)
    print(f"The figure: {run_dir / 'washed_away.png'}")


if __name__ == "__main__":
    _errors.run(main)
