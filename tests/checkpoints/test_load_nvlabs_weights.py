import collections
import os
import pickle
import re
import sys

import numpy as np
import pytest
from support.backends import not_on
from support.golden_files import channels_last, load_golden, relative_error

from keras_spade import MultiScaleDiscriminator, SPADEGenerator, StyleEncoder
from keras_spade.checkpoints import load_nvlabs_weights, nvlabs_weights


def small_encoder(**options):
    return StyleEncoder((96, 96, 3), latent_dim=4, base_filters=2, resize_to=None, **options)


def random_weights(network, seed=1):
    """Other weights under the same names."""
    rng = np.random.default_rng(seed)
    return {
        name: rng.normal(size=array.shape).astype("float32")
        for name, array in nvlabs_weights(network).items()
    }


def assert_holds(network, weights):
    held = nvlabs_weights(network)
    assert set(held) == set(weights)
    for name, array in held.items():
        np.testing.assert_array_equal(array, weights[name])


@pytest.fixture(scope="module")
def golden():
    return load_golden("discriminator_spectralbatch")


def golden_discriminator(golden):
    return MultiScaleDiscriminator(
        golden.config["label_nc"],
        image_shape=(64, 64, 3),
        base_filters=golden.config["ndf"],
        norm="batch",
        conditioning="dense",
    )


def golden_logits(golden, discriminator):
    segmap, image = np.split(channels_last(golden["in/x"]), [-3], axis=-1)
    return discriminator({"segmap": segmap, "image": image})[0][-1]


@pytest.fixture
def torch():
    return pytest.importorskip("torch", reason="PyTorch, which reads .pth files, is not installed")


# === Mappings ===


def test_counters_of_batches_are_read_over(golden):
    state = golden.below("state/")
    counters = [name for name in state if name.endswith(".num_batches_tracked")]
    assert len(counters) == 6
    want = channels_last(golden["out/eval/scale0/feat4"])
    for weights in (state, {name: state[name] for name in state if name not in counters}):
        discriminator = golden_discriminator(golden)
        load_nvlabs_weights(discriminator, weights)
        assert relative_error(golden_logits(golden, discriminator), want) < 1e-5


def test_kernels_and_vectors_land_where_their_names_say():
    network = small_encoder(norm="batch")
    weights = random_weights(network)
    load_nvlabs_weights(network, weights)
    conv, norm = network.get_layer("conv_1"), network.get_layer("norm_1")
    kernel = np.transpose(weights["layer2.0.weight_orig"], (2, 3, 1, 0))
    np.testing.assert_array_equal(conv.kernel.numpy(), kernel)
    np.testing.assert_array_equal(conv.u.numpy(), weights["layer2.0.weight_u"])
    v = np.moveaxis(np.reshape(weights["layer2.0.weight_v"], (2, 3, 3)), 0, -1)
    np.testing.assert_array_equal(conv.v.numpy(), np.ravel(v))
    np.testing.assert_array_equal(norm.gamma.numpy(), weights["layer2.1.weight"])
    np.testing.assert_array_equal(norm.beta.numpy(), weights["layer2.1.bias"])
    np.testing.assert_array_equal(norm.moving_mean.numpy(), weights["layer2.1.running_mean"])
    np.testing.assert_array_equal(norm.moving_variance.numpy(), weights["layer2.1.running_var"])
    dense = np.reshape(weights["fc_mu.weight"], (4, 16, 2, 2))
    np.testing.assert_array_equal(
        network.get_layer("mean").kernel.numpy(),
        np.reshape(np.transpose(dense, (2, 3, 1, 0)), (64, 4)),
    )
    np.testing.assert_array_equal(
        network.get_layer("log_variance").bias.numpy(), weights["fc_var.bias"]
    )


def test_the_dense_layer_of_the_generator_is_reordered():
    generator = SPADEGenerator(2, (64, 96, 3), latent_dim=3, base_filters=1, hidden_filters=2)
    weights = random_weights(generator)
    load_nvlabs_weights(generator, weights)
    latent = np.random.default_rng(2).normal(size=3)
    want = np.reshape(weights["fc.weight"] @ latent + weights["fc.bias"], (16, 2, 3))
    fc = generator.get_layer("fc")
    got = np.reshape(latent @ fc.kernel.numpy() + fc.bias.numpy(), (2, 3, 16))
    assert relative_error(got, np.moveaxis(want, 0, -1)) < 1e-6


def test_double_precision_arrays_are_rounded():
    network = small_encoder()
    weights = random_weights(network)
    load_nvlabs_weights(network, {k: v.astype("float64") for k, v in weights.items()})
    assert_holds(network, weights)


def test_source_is_left_alone():
    network = small_encoder()
    weights = random_weights(network)
    copies = {name: array.copy() for name, array in weights.items()}
    load_nvlabs_weights(network, weights)
    assert list(weights) == list(copies)
    for name, array in copies.items():
        np.testing.assert_array_equal(weights[name], array)


@pytest.mark.parametrize(
    ("build", "missing", "misshapen", "shape"),
    [
        (
            lambda: SPADEGenerator(2, (32, 32, 3), base_filters=1, hidden_filters=2, latent_dim=2),
            ["fc.bias", "up_3.norm_s.mlp_shared.0.weight", "G_middle_1.conv_1.weight_v"],
            "conv_img.weight",
            (3, 1, 3, 3),
        ),
        (
            lambda: MultiScaleDiscriminator(2, (32, 32, 3), base_filters=2),
            ["discriminator_1.model4.0.bias", "discriminator_0.model2.0.0.weight_orig"],
            "discriminator_1.model0.0.weight",
            (2, 5, 4, 4),
        ),
        (small_encoder, ["fc_var.weight", "layer1.0.weight_u"], "fc_mu.weight", (4, 64)),
    ],
    ids=["generator", "discriminator", "encoder"],
)
def test_every_key_that_does_not_fit_is_named_and_nothing_is_loaded(
    build, missing, misshapen, shape
):
    network = build()
    before = network.get_weights()
    weights = random_weights(network)
    assert weights[misshapen].shape == shape
    for name in missing:
        del weights[name]
    weights["module.extra.weight"] = weights["another.bias"] = np.zeros(3, "float32")
    weights[misshapen] = np.zeros((*shape, 1), "float32")
    with pytest.raises(ValueError, match="nothing was loaded") as error:
        load_nvlabs_weights(network, weights)
    head, *lines = str(error.value).split("\n  ")
    assert "`source`: the mapping does not fit" in head
    assert f"{type(network).__name__} {network.name!r}" in head
    wanted = [f"missing: {name}" for name in missing]
    wanted += ["unused: module.extra.weight", "unused: another.bias"]
    wanted += [f"wrong shape: {misshapen} has shape {(*shape, 1)}, wanted {shape}"]
    assert sorted(lines) == sorted(wanted)
    for now, then in zip(network.get_weights(), before, strict=True):
        np.testing.assert_array_equal(now, then)


def test_weights_of_another_width_are_refused():
    weights = nvlabs_weights(StyleEncoder((96, 96, 3), 4, base_filters=3, resize_to=None))
    with pytest.raises(ValueError, match=r"layer1.0.weight_orig has shape \(3, 3, 3, 3\), wanted"):
        load_nvlabs_weights(small_encoder(), weights)


def test_other_networks_are_refused():
    with pytest.raises(ValueError, match="`network` must be a SPADEGenerator.*got dict"):
        load_nvlabs_weights({}, {})


# === Files ===


def test_missing_file_is_named(tmp_path):
    path = str(tmp_path / "latest_net_E.pth")
    with pytest.raises(ValueError, match=f"`source`: no such file: {re.escape(repr(path))}"):
        load_nvlabs_weights(small_encoder(), path)


@not_on("torch", "PyTorch is there")
def test_the_error_without_pytorch_lists_the_alternatives(tmp_path, monkeypatch):
    path = tmp_path / "latest_net_E.pth"
    path.write_bytes(b"")
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(ImportError, match="needs PyTorch.*pip install torch.*mapping") as error:
        load_nvlabs_weights(small_encoder(), path)
    assert repr(str(path)) in str(error.value)


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "older than PyTorch 1.6"])
def test_state_dicts_of_pytorch_are_loaded(zipped, golden, torch, tmp_path):
    path = tmp_path / "latest_net_D.pth"
    state = collections.OrderedDict(
        (name, torch.from_numpy(np.array(array))) for name, array in golden.below("state/").items()
    )
    torch.save(state, path, _use_new_zipfile_serialization=zipped)
    discriminator = golden_discriminator(golden)
    load_nvlabs_weights(discriminator, path)
    want = channels_last(golden["out/eval/scale0/feat4"])
    assert relative_error(golden_logits(golden, discriminator), want) < 1e-5


def test_parameters_and_half_precision_are_loaded(torch, tmp_path):
    network = small_encoder()
    weights = {k: v.astype("float16") for k, v in random_weights(network).items()}
    for kind, convert in {
        "float16": torch.from_numpy,
        "parameter": lambda array: torch.nn.Parameter(torch.from_numpy(array)),
    }.items():
        path = tmp_path / f"{kind}.pth"
        torch.save({name: convert(array) for name, array in weights.items()}, path)
        network = small_encoder()
        load_nvlabs_weights(network, str(path))
        assert_holds(network, weights)


def test_files_that_do_not_fit_are_named_and_nothing_is_loaded(torch, tmp_path):
    network = small_encoder()
    path = str(tmp_path / "latest_net_E.pth")
    weights = random_weights(network)
    del weights["fc_mu.bias"]
    torch.save({name: torch.from_numpy(array) for name, array in weights.items()}, path)
    before = network.get_weights()
    with pytest.raises(ValueError, match=f"{re.escape(repr(path))}(.|\n)*missing: fc_mu.bias$"):
        load_nvlabs_weights(network, path)
    for now, then in zip(network.get_weights(), before, strict=True):
        np.testing.assert_array_equal(now, then)


class Intruder:
    """Makes a folder when it is unpickled."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return os.mkdir, (self.path,)


@pytest.mark.parametrize("save", ["torch", "pickle"])
def test_files_of_arbitrary_objects_are_refused_unread(save, torch, tmp_path):
    path, trap = tmp_path / "latest_net_E.pth", tmp_path / "trap"
    content = {"fc_mu.bias": Intruder(trap)}
    if save == "torch":
        torch.save(content, path)
    else:
        path.write_bytes(pickle.dumps(content, protocol=2))
    with pytest.raises(
        ValueError, match=f"`source`: {re.escape(repr(str(path)))} is not a PyTorch"
    ):
        load_nvlabs_weights(small_encoder(), path)
    assert not trap.exists()


@pytest.mark.parametrize(
    "content",
    [[1, 2], {"epoch": 3}, {"state_dict": {}}, "text"],
    ids=["list", "number", "nested", "text"],
)
def test_files_of_something_else_are_named(content, torch, tmp_path):
    path = tmp_path / "latest_net_E.pth"
    torch.save(content, path)
    with pytest.raises(ValueError, match=re.escape(repr(str(path)))):
        load_nvlabs_weights(small_encoder(), path)


def test_files_of_no_pytorch_are_named(torch, tmp_path):
    path = tmp_path / "latest_net_E.pth"
    path.write_text("something else")
    with pytest.raises(
        ValueError, match=f"{re.escape(repr(str(path)))} is not a PyTorch weight file"
    ):
        load_nvlabs_weights(small_encoder(), path)
