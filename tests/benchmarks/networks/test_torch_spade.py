"""The benchmarks' PyTorch model against ours, from the same weights."""

from dataclasses import dataclass

import keras
import numpy as np
import pytest
from support.backends import float64_throughout, with_gradients

from keras_spade import GauGAN, MultiScaleDiscriminator, SPADEGenerator, StyleEncoder
from keras_spade.checkpoints import nvlabs_weights

torch = pytest.importorskip("torch", reason="PyTorch, the benchmarks' competitor, is not installed")
from benchmarks.networks import torch_spade

SHAPE = (96, 160, 3)
CHANNELS = 7  # Five classes, void, edges.
LATENT = 8
LOSSES = {
    "generator/adversarial",
    "generator/feature_matching",
    "discriminator/real",
    "discriminator/fake",
}


@dataclass
class Pair:
    """The same three networks (the encoder may be `None`) twice."""

    ours: list
    theirs: list


def move_weights(network, rng):
    """Sets every weight, including biases and statistics, to a value that affects the output."""
    for variable in network.variables:
        shape, name = tuple(variable.shape), variable.name
        if name in ("seed_generator_state", "u", "v"):
            continue
        if name == "moving_variance":
            value = rng.uniform(0.5, 2.0, shape)
        else:
            fan_in = np.prod(shape[:-1]) if len(shape) > 1 else 100.0
            value = 0.5 * rng.normal(size=shape) / np.sqrt(fan_in)
        variable.assign(value.astype(variable.dtype))


def load(module, network):
    """Loads our weights into PyTorch's module and checks every key and shape, except counters."""
    weights = {name: torch.from_numpy(a.copy()) for name, a in nvlabs_weights(network).items()}
    missing = [k for k in module.state_dict() if k.rpartition(".")[2] == "num_batches_tracked"]
    assert set(module.state_dict()) - set(missing) == set(weights)
    dtype = next(iter(weights.values())).dtype
    module.to(dtype).load_state_dict(weights)
    return module


def build_ours(latent_dim, encoder, rng):
    conditioning = {"num_classes": 5, "void_class": True, "instance_edges": True}
    small = {"base_filters": 4, "hidden_filters": 8}
    ours = [
        SPADEGenerator(**conditioning, image_shape=SHAPE, latent_dim=latent_dim, **small),
        MultiScaleDiscriminator(**conditioning, image_shape=SHAPE, base_filters=4),
        StyleEncoder(SHAPE, latent_dim, base_filters=4, resize_to=None) if encoder else None,
    ]
    for network in filter(None, ours):
        move_weights(network, rng)
    return ours


def build_theirs(ours):
    generator, _, encoder = ours
    latent_dim = generator.latent_dim
    theirs = [
        torch_spade.SPADEGenerator(CHANNELS, SHAPE[:2], latent_dim, 4, hidden_filters=8),
        torch_spade.MultiScaleDiscriminator(CHANNELS, base_filters=4),
        encoder and torch_spade.StyleEncoder(SHAPE[:2], latent_dim, base_filters=4),
    ]
    return [a and load(a, b) for a, b in zip(theirs, ours, strict=True)]


@pytest.fixture
def make_pair():
    """Builds both sides; ours runs once in training mode, so that `u` and `v` fit the kernels."""

    def make(arrays, latent_dim=LATENT, encoder=True):
        ours = build_ours(latent_dim, encoder, np.random.default_rng(1))
        for network in filter(None, ours):
            for _ in range(3):
                network(inputs_of(network, arrays), training=True)
        return Pair(ours, build_theirs(ours))

    return make


@pytest.fixture
def arrays():
    """A batch, a latent, and noise for two steps."""
    rng = np.random.default_rng(0)
    labels = np.kron(rng.integers(0, 6, (2, 24, 40)), np.ones((1, 4, 4)))
    return {
        "labels": labels.astype("int32"),
        "edges": rng.integers(0, 2, (2, *SHAPE[:2])).astype("float32"),
        "image": rng.uniform(-1, 1, (2, *SHAPE)).astype("float32"),
        "latent": rng.normal(size=(2, LATENT)).astype("float32"),
        "noise": rng.normal(size=(4, 2, LATENT)).astype("float32"),
    }


def in_float64(arrays):
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")
    return {k: v.astype("float64") if v.dtype == "float32" else v for k, v in arrays.items()}


def inputs_of(network, arrays):
    if isinstance(network, StyleEncoder):
        return arrays["image"]
    return {name: arrays[name] for name in network.input}


def tensors(arrays):
    """The batch as PyTorch tensors."""
    tensor = {name: torch.from_numpy(array) for name, array in arrays.items()}
    tensor["labels"] = tensor["labels"].long()
    tensor["image"] = tensor["image"].permute(0, 3, 1, 2)
    return tensor


def assert_close(ours, theirs, limit=1e-5):
    """Compares to `limit` of the largest element; `theirs` is channels first."""
    ours = keras.ops.convert_to_numpy(ours)
    theirs = theirs.detach().numpy()
    theirs = np.moveaxis(theirs, 1, -1) if theirs.ndim == 4 else theirs
    assert ours.shape == theirs.shape
    assert np.std(ours) > 1e-3
    assert np.max(np.abs(ours - theirs)) < limit * np.max(np.abs(ours))


def test_label_channels():
    labels, edges = torch.tensor([[[2, 0]]]), torch.tensor([[[0.0, 1.0]]])
    channels = torch_spade.label_channels_of(labels, 3, edges)
    assert channels.tolist() == [[[[0.0, 1.0]], [[0.0, 0.0]], [[1.0, 0.0]], [[0.0, 1.0]]]]
    assert torch_spade.label_channels_of(labels, 3).equal(channels[:, :3])


@pytest.mark.parametrize("training", [False, True], ids=["inference", "training"])
@pytest.mark.parametrize("latent_dim", [LATENT, None])
def test_generators_agree(make_pair, arrays, latent_dim, training):
    pair = make_pair(arrays, latent_dim, encoder=False)
    ours, theirs = pair.ours[0], pair.theirs[0].train(training)
    tensor = tensors(arrays)
    channels = torch_spade.label_channels_of(tensor["labels"], CHANNELS - 1, tensor["edges"])
    latent = None if latent_dim is None else tensor["latent"]
    assert_close(ours(inputs_of(ours, arrays), training=training), theirs(channels, latent))
    state = theirs.state_dict()
    for name, array in nvlabs_weights(ours).items():
        np.testing.assert_allclose(state[name], array, rtol=1e-5, atol=1e-5, err_msg=name)


@pytest.mark.parametrize("training", [False, True], ids=["inference", "training"])
def test_discriminators_agree(make_pair, arrays, training):
    pair = make_pair(arrays)
    ours, theirs = pair.ours[1], pair.theirs[1].train(training)
    tensor = tensors(arrays)
    channels = torch_spade.label_channels_of(tensor["labels"], CHANNELS - 1, tensor["edges"])
    want = ours(inputs_of(ours, arrays), training=training)
    got = theirs(channels, tensor["image"])
    assert [len(scale) for scale in want] == [len(scale) for scale in got] == [5, 5]
    for a, b in zip(sum(want, []), sum(got, []), strict=True):
        assert_close(a, b)


@pytest.mark.parametrize("training", [False, True], ids=["inference", "training"])
def test_encoders_agree(make_pair, arrays, training):
    pair = make_pair(arrays)
    ours, theirs = pair.ours[2], pair.theirs[2].train(training)
    want, got = ours(arrays["image"], training=training), theirs(tensors(arrays)["image"])
    for a, b in zip(want, got, strict=True):
        assert_close(a, b)


def our_losses(networks, arrays, steps, monkeypatch):
    noise = [keras.ops.convert_to_tensor(noise) for noise in arrays["noise"]]
    monkeypatch.setattr(keras.random, "normal", lambda *args, **kwargs: noise.pop(0))
    gan = GauGAN(*networks)
    gan.compile(perceptual_loss=None, run_eagerly=True)
    names = ("labels", "edges", "image")
    batch = {name: keras.ops.convert_to_tensor(arrays[name]) for name in names}
    losses = []
    for _ in range(steps):
        losses.append(gan.train_on_batch(batch, return_dict=True))
        gan.reset_metrics()
    return losses


def their_losses(networks, arrays, steps, **options):
    gan = torch_spade.GauGAN(*networks, **options)
    tensor = tensors(arrays)
    batch = [tensor[name] for name in ("labels", "edges", "image")]
    return [gan.training_step(*batch, noise=tensor["noise"][2 * i :][:2]) for i in range(steps)]


def assert_losses_close(want, got, limit):
    assert set(want) == set(got)
    for name in want:
        assert float(got[name]) == pytest.approx(float(want[name]), rel=limit), name


@pytest.mark.parametrize(
    ("latent_dim", "encoder"), [(LATENT, True), (LATENT, False), (None, False)]
)
@with_gradients()
def test_training_steps_agree(make_pair, arrays, monkeypatch, latent_dim, encoder):
    pair = make_pair(arrays, latent_dim, encoder)
    (want,) = our_losses(pair.ours, arrays, 1, monkeypatch)
    (got,) = their_losses(pair.theirs, arrays, 1)
    assert set(got) == LOSSES | ({"generator/kl"} if encoder else set())
    assert_losses_close(want, got, 1e-4)


@with_gradients()
@float64_throughout()
def test_training_steps_agree_in_float64(make_pair, arrays, monkeypatch):
    # Without float32's rounding, which Adam turns into full steps, all weights agree too. The rest
    # of the difference comes from TensorFlow's leaky ReLU: its slope is the float32 nearest to 0.2.
    arrays = in_float64(arrays)
    pair = make_pair(arrays)
    want = our_losses(pair.ours, arrays, 2, monkeypatch)
    got = their_losses(pair.theirs, arrays, 2)
    for a, b in zip(want, got, strict=True):
        assert_losses_close(a, b, 2e-6)
    for ours, theirs in zip(pair.ours, pair.theirs, strict=True):
        state = theirs.state_dict()
        for name, array in nvlabs_weights(ours).items():
            np.testing.assert_allclose(state[name], array, rtol=0, atol=5e-7, err_msg=name)


@with_gradients()
def test_the_generators_update_leaves_the_discriminator_no_gradients(make_pair, arrays):
    generator, discriminator, encoder = make_pair(arrays).theirs
    gan = torch_spade.GauGAN(generator, discriminator, encoder)
    tensor = tensors(arrays)
    channels = gan.label_channels(tensor["labels"], tensor["edges"])
    gan._update_generator(channels, tensor["image"], None)
    assert all(parameter.grad is None for parameter in discriminator.parameters())
    gan._update_discriminator(channels, tensor["image"], None)
    assert all(parameter.grad is not None for parameter in discriminator.parameters())


# TorchDynamo inspects the objects that it warns about.
@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor:UserWarning")
@pytest.mark.parametrize(
    "options",
    [
        {"channels_last": True},
        pytest.param({"compile_options": {"backend": "aot_eager"}}, marks=pytest.mark.slow),
    ],
    ids=["channels_last", "compiled"],
)
@with_gradients()
def test_options_change_no_losses(make_pair, arrays, options):
    pair = make_pair(arrays)
    (want,) = their_losses(pair.theirs, arrays, 1)
    (got,) = their_losses(build_theirs(pair.ours), arrays, 1, **options)
    assert_losses_close(want, got, 1e-4)
