import json

import keras
import numpy as np
import pytest
from support.backends import differentiate
from support.golden_files import channels_last, load_golden, relative_error

from keras_spade.losses import AdversarialLoss

KINDS = {
    "hinge": "hinge",
    "ls": "least_squares",
    "original": "binary_crossentropy",
    "w": "wasserstein",
}
# The reference does not define the hinge loss of a generator whose target is "fake".
CASES = [
    (mode, target, side)
    for mode in KINDS
    for target in ("real", "fake")
    for side in ("D", "G")
    if (mode, target, side) != ("hinge", "fake", "G")
]


def predictions(golden, key="fake"):
    """The features of the reference's discriminator, by scale."""
    return [
        [channels_last(golden[f"in/pred_{key}/scale{i}/feat{j}"]) for j in range(5)] for i in (0, 1)
    ]


@pytest.fixture(scope="module")
def golden():
    return load_golden("losses")


@pytest.mark.parametrize(("mode", "target", "side"), CASES)
def test_loss_of_scales_and_of_one_tensor_is_the_references(mode, target, side, golden):
    loss, scales = AdversarialLoss(KINDS[mode]), predictions(golden)
    options = {"real": target == "real", "for_discriminator": side == "D"}
    want = golden[f"out/gan/{mode}/target_{target}/for_{side}/list"][0]
    assert relative_error(loss(scales, **options), want) < 1e-5
    logits_only = [features[-1] for features in scales]
    assert relative_error(loss(logits_only, **options), want) < 1e-5
    assert relative_error(loss(tuple(logits_only), **options), want) < 1e-5
    want = golden[f"out/gan/{mode}/target_{target}/for_{side}/single"]
    assert relative_error(loss(logits_only[0], **options), want) < 1e-5


@pytest.mark.parametrize("mode", KINDS)
def test_gradient_is_the_references(mode, golden):
    logits = [features[-1] for features in predictions(golden)]
    loss = AdversarialLoss(KINDS[mode])
    _, found, _ = differentiate(lambda *logits: (loss(logits, real=True), None), logits, [])
    for i, gradient in enumerate(found):
        want = channels_last(golden[f"out/gan_grad/{mode}/target_real/for_D/scale{i}"])
        assert relative_error(gradient, want) < 1e-5


def test_generator_term_of_the_whole_model_is_the_references(golden):
    kind = KINDS[golden.config["gan_mode"]]
    got = AdversarialLoss(kind)(predictions(golden), real=True, for_discriminator=False)
    assert relative_error(got, golden["out/model/GAN"][0]) < 1e-5


@pytest.mark.parametrize(
    ("kind", "real", "for_discriminator", "pointwise"),
    [
        ("hinge", True, True, lambda x: np.maximum(0, 1 - x)),
        ("hinge", False, True, lambda x: np.maximum(0, 1 + x)),
        ("hinge", True, False, lambda x: -x),
        ("hinge", False, False, lambda x: x),
        ("least_squares", True, True, lambda x: (x - 1) ** 2),
        ("least_squares", False, True, lambda x: x**2),
        ("binary_crossentropy", True, True, lambda x: -np.log(1 / (1 + np.exp(-x)))),
        ("binary_crossentropy", False, True, lambda x: -np.log(1 - 1 / (1 + np.exp(-x)))),
        ("wasserstein", True, True, lambda x: -x),
        ("wasserstein", False, True, lambda x: x),
    ],
)
def test_scales_weigh_the_same_whatever_their_size(kind, real, for_discriminator, pointwise):
    rng = np.random.default_rng(0)
    logits = [rng.normal(0, 2, (3, *size, 1)) for size in ((9, 11), (4, 5), (2, 2))]
    want = np.mean([np.mean(pointwise(x)) for x in logits])
    logits = [x.astype("float32") for x in logits]
    got = AdversarialLoss(kind)(logits, real=real, for_discriminator=for_discriminator)
    assert relative_error(got, want) < 1e-5


@pytest.mark.parametrize(("real", "want"), [(True, [0.0, 100.0]), (False, [100.0, 0.0])])
def test_crossentropy_of_far_logits_is_finite(real, want):
    loss = AdversarialLoss("binary_crossentropy")
    got = [float(loss(np.full((1, 1, 1, 1), x, "float32"), real=real)) for x in (100.0, -100.0)]
    np.testing.assert_allclose(got, want, atol=1e-6)


def test_the_default_is_the_discriminators_hinge():
    x = np.array([[-2.0, 0.25, 3.0]], "float32")
    assert float(AdversarialLoss()(x, real=True)) == pytest.approx((3.0 + 0.75 + 0.0) / 3)
    assert float(AdversarialLoss()(x, real=False)) == pytest.approx((0.0 + 1.25 + 4.0) / 3)


@pytest.mark.parametrize("kind", KINDS.values())
def test_config_rebuilds_the_loss(kind):
    loss = AdversarialLoss(kind)
    config = json.loads(json.dumps(keras.saving.serialize_keras_object(loss)))
    rebuilt = keras.saving.deserialize_keras_object(config)
    assert type(rebuilt) is AdversarialLoss
    assert rebuilt.get_config() == {"kind": kind}


@pytest.mark.parametrize("kind", ["ls", None, "Hinge"])
def test_unknown_kinds_are_refused(kind):
    with pytest.raises(ValueError, match=f"`kind` must be one of .*'wasserstein'.*got {kind!r}"):
        AdversarialLoss(kind)
