import keras
import numpy as np
import pytest
from support.backends import differentiate, is_no_gradient
from support.golden_files import channels_last, load_golden, relative_error

from keras_spade.losses import feature_matching_loss


def predictions(golden, key):
    """The features of the reference's discriminator, by scale."""
    return [
        [channels_last(golden[f"in/pred_{key}/scale{i}/feat{j}"]) for j in range(5)] for i in (0, 1)
    ]


def random_features(seed, dtype="float32"):
    rng = np.random.default_rng(seed)
    sizes = [[(2, 9, 7, 3), (2, 5, 4, 6), (2, 6, 5, 1)], [(2, 5, 4, 3), (2, 3, 2, 6), (2, 4, 3, 1)]]
    return [[rng.normal(size=size).astype(dtype) for size in scale] for scale in sizes]


def by_hand(fake, real):
    """The definition, in float64."""
    total = 0.0
    for fake_scale, real_scale in zip(fake, real, strict=True):
        for f, r in zip(fake_scale[:-1], real_scale[:-1], strict=True):
            total += np.mean(np.abs(f.astype("float64") - r.astype("float64")))
    return total / len(fake)


def test_loss_times_its_weight_is_the_references():
    golden = load_golden("losses")
    loss = feature_matching_loss(predictions(golden, "fake"), predictions(golden, "real"))
    got = golden.config["lambda_feat"] * loss
    assert relative_error(got, golden["out/model/GAN_Feat"][0]) < 1e-5


def test_loss_is_a_mean_over_scales_of_a_sum_over_features():
    fake, real = random_features(0), random_features(1)
    assert relative_error(feature_matching_loss(fake, real), by_hand(fake, real)) < 1e-6


def test_logits_do_not_count():
    fake, real = random_features(0), random_features(1)
    want = by_hand(fake, real)
    for scale in fake:
        scale[-1] = scale[-1] + 100.0
    assert relative_error(feature_matching_loss(fake, real), want) < 1e-6


def test_gradient_is_the_sign_over_the_size_and_spares_the_real_side():
    fake, real = random_features(0), random_features(1)

    def loss(*features):
        return feature_matching_loss(*keras.tree.pack_sequence_as([fake, real], features)), None

    _, found, _ = differentiate(loss, keras.tree.flatten([fake, real]), [])
    to_fake, to_real = found[:6], found[6:]
    assert len(to_real) == 6 and all(map(is_no_gradient, to_real))
    for i in (0, 1):
        assert is_no_gradient(to_fake[3 * i + 2])
        for j in (0, 1):
            difference = fake[i][j] - real[i][j]
            want = np.sign(difference) / difference.size / 2
            assert relative_error(to_fake[3 * i + j], want) < 1e-6


def test_half_precision_features_are_compared_in_full_precision():
    fake, real = random_features(0, "float16"), random_features(1, "float16")
    loss = feature_matching_loss(
        keras.tree.map_structure(keras.ops.convert_to_tensor, fake),
        keras.tree.map_structure(keras.ops.convert_to_tensor, real),
    )
    assert relative_error(loss, by_hand(fake, real)) < 1e-6


def test_unequal_scales_and_features_are_refused():
    fake, real = random_features(0), random_features(1)
    with pytest.raises(ValueError, match="argument 2 is shorter"):
        feature_matching_loss(fake, real[:1])
    with pytest.raises(ValueError, match="argument 2 is shorter"):
        feature_matching_loss(fake, [real[0], real[1][:-1]])
