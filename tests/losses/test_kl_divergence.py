import numpy as np
import pytest
from support.backends import differentiate, only_on
from support.golden_files import load_golden, relative_error

from keras_spade.losses import kl_divergence


def posterior(batch=3, latent_dim=8):
    rng = np.random.default_rng(0)
    mean = rng.normal(size=(batch, latent_dim)).astype("float32")
    return mean, rng.normal(size=(batch, latent_dim)).astype("float32")


def by_hand(mean, log_variance):
    """Divergence between two normals, -log s + (s^2 + m^2) / 2 - 1 / 2 each, in float64."""
    mean, deviation = mean.astype("float64"), np.exp(log_variance.astype("float64") / 2)
    return -np.log(deviation) + (deviation**2 + mean**2) / 2 - 0.5


def test_sum_and_its_weight_are_the_references():
    golden = load_golden("losses")
    got = kl_divergence(golden["in/mu"], golden["in/logvar"])
    assert relative_error(got, golden["out/kld/unweighted"]) < 1e-5
    weighted = golden.config["lambda_kld"] * got
    assert relative_error(weighted, golden["out/kld/times_lambda"]) < 1e-5


def test_sum_is_the_default_and_mean_divides_by_the_batch():
    want = by_hand(*posterior())
    assert relative_error(kl_divergence(*posterior()), np.sum(want)) < 1e-6
    assert relative_error(kl_divergence(*posterior(), reduction="sum"), np.sum(want)) < 1e-6
    assert relative_error(kl_divergence(*posterior(), reduction="mean"), np.sum(want) / 3) < 1e-6


def test_mean_does_not_change_when_the_batch_is_doubled_and_the_sum_doubles():
    once = posterior()
    twice = tuple(np.concatenate([x, x]) for x in once)
    want = np.sum(by_hand(*once)) / 3
    assert relative_error(kl_divergence(*twice, reduction="mean"), want) < 1e-6
    assert relative_error(kl_divergence(*twice), 6 * want) < 1e-6


def test_standard_normal_has_none():
    zeros = np.zeros((2, 4), "float32")
    assert float(kl_divergence(zeros, zeros)) == 0.0


@pytest.mark.parametrize(("reduction", "share"), [("sum", 1), ("mean", 3)])
def test_gradient_pulls_towards_the_standard_normal(reduction, share):
    mean, log_variance = posterior()
    _, (to_mean, to_log_variance), _ = differentiate(
        lambda *inputs: (kl_divergence(*inputs, reduction), None), [mean, log_variance], []
    )
    assert relative_error(to_mean, mean / share) < 1e-6
    assert relative_error(to_log_variance, (np.exp(log_variance) - 1) / 2 / share) < 1e-6


@only_on("tensorflow", "its graphs run at sizes that they were not made with")
def test_mean_works_where_the_batch_size_is_unknown():
    import tensorflow as tf

    mean, log_variance = posterior()
    spec = tf.TensorSpec((None, 8))
    compiled = tf.function(lambda m, v: kl_divergence(m, v, "mean"), input_signature=[spec, spec])
    want = np.sum(by_hand(mean, log_variance)) / 3
    assert relative_error(compiled(mean, log_variance), want) < 1e-6


def test_other_reductions_are_refused():
    with pytest.raises(ValueError, match='`reduction` must be "sum" or "mean", got \'none\''):
        kl_divergence(*posterior(), reduction="none")
