import keras
import numpy as np
import pytest
from support.backends import BACKEND, EAGERLY, label_error
from support.tiny_gan import tiny_batch, tiny_gan

from keras_spade import GauGAN, MultiScaleDiscriminator, SPADEGenerator, StyleEncoder
from keras_spade.losses import AdversarialLoss, PerceptualLoss

pytestmark = pytest.mark.slow_on("jax")
LOSSES = [
    "discriminator/fake",
    "discriminator/real",
    "generator/adversarial",
    "generator/feature_matching",
]


def weights_of(model):
    return [np.array(w) for w in model.weights]


def equal(a, b):
    return all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))


def test_compile_has_the_papers_defaults(make_gan):
    gan = make_gan(encoder=True)
    assert gan.initial_learning_rates == pytest.approx((1e-4, 4e-4))
    for optimizer in (gan.generator_optimizer, gan.discriminator_optimizer):
        config = optimizer.get_config()
        assert (config["beta_1"], config["beta_2"], config["epsilon"]) == (0.0, 0.9, 1e-8)
    assert gan.adversarial_loss.kind == "hinge"
    assert (gan.feature_matching_weight, gan.kl_weight) == (10.0, 0.05)
    assert gan.perceptual_weight == 10.0 and gan.kl_reduction == "sum"


def test_vgg19_is_the_default_perceptual_loss(make_gan, monkeypatch):
    asked = []

    def vgg19(include_top, weights):
        asked.append((include_top, weights))
        raise OSError("no network here")

    monkeypatch.setattr(keras.applications, "VGG19", vgg19)
    with pytest.raises(RuntimeError, match="perceptual_loss=None"):
        make_gan(compiled=False).compile()
    assert asked == [(False, "imagenet")]


def test_the_perceptual_loss_has_its_share_in_the_paper(make_gan, monkeypatch):
    vgg = keras.applications.VGG19(include_top=False, weights=None)
    monkeypatch.setattr(keras.applications, "VGG19", lambda **options: vgg)
    gan = make_gan(compiled=False)
    gan.compile()
    # Keras' weights expect inputs of 0 to 255, the paper's 10 is for -1 to 1.
    assert gan.perceptual_weight == pytest.approx(10 / 127.5)
    gan.compile(perceptual_loss=gan.perceptual_loss, perceptual_weight=5.0)
    assert gan.perceptual_weight == 5.0
    gan.compile(perceptual_loss=lambda fake, real: keras.ops.mean(fake - real))
    assert gan.perceptual_weight == 10.0


def test_the_optimizers_train_what_they_should(make_gan, batch):
    gan = make_gan(encoder=True)
    parts = (gan.generator, gan.encoder, gan.discriminator)
    before = [[np.array(v) for v in part.trainable_variables] for part in parts]
    gan.generator_optimizer.learning_rate = 0.0
    gan.train_on_batch(batch)
    after = [[np.array(v) for v in part.trainable_variables] for part in parts]
    assert equal(before[0], after[0]) and equal(before[1], after[1])
    assert not equal(before[2], after[2])
    gan.generator_optimizer.learning_rate = 1e-3
    gan.discriminator_optimizer.learning_rate = 0.0
    gan.train_on_batch(batch)
    last = [[np.array(v) for v in part.trainable_variables] for part in parts]
    assert not equal(after[0], last[0]) and not equal(after[1], last[1])
    assert equal(after[2], last[2])


def test_losses_have_names_in_history(make_gan, batch):
    gan = make_gan(run_eagerly=False)
    history = gan.fit(batch, batch_size=6, validation_data=batch, verbose=0).history
    assert sorted(history) == LOSSES + [f"val_{name}" for name in LOSSES]
    gan = make_gan(encoder=True, compiled=False)
    gan.compile(
        perceptual_loss=lambda fake, real: keras.ops.mean(keras.ops.abs(fake - real)),
        run_eagerly=EAGERLY,
    )
    history = gan.fit(batch, batch_size=6, verbose=0).history
    assert sorted(history) == [*LOSSES, "generator/kl", "generator/perceptual"]
    assert all(np.isfinite(value[0]) for value in history.values())


@pytest.mark.slow_on("tensorflow")
def test_weights_of_the_losses(make_gan, batch):
    def distance(fake, real):
        return keras.ops.mean(keras.ops.abs(fake - real))

    def losses(**arguments):
        keras.utils.set_random_seed(1)
        gan = make_gan(encoder=True, compiled=False)
        gan.compile(perceptual_loss=distance, run_eagerly=EAGERLY, **arguments)
        return gan.evaluate(batch, batch_size=6, verbose=0, return_dict=True)

    one = losses(feature_matching_weight=1.0, perceptual_weight=1.0, kl_weight=1.0)
    many = losses(feature_matching_weight=3.0, perceptual_weight=5.0, kl_weight=7.0)
    assert many["generator/feature_matching"] == pytest.approx(
        3 * one["generator/feature_matching"], rel=1e-5
    )
    assert many["generator/perceptual"] == pytest.approx(5 * one["generator/perceptual"], rel=1e-5)
    assert many["generator/kl"] == pytest.approx(7 * one["generator/kl"], rel=1e-5)
    mean = losses(kl_weight=1.0, kl_reduction="mean")
    assert mean["generator/kl"] == pytest.approx(one["generator/kl"] / 6, rel=1e-5)
    assert "generator/feature_matching" not in losses(feature_matching_weight=0.0)


def test_evaluate_equals_the_formulas_and_moves_nothing(make_gan, batch):
    gan = make_gan()
    before = weights_of(gan)
    got = gan.evaluate(batch, batch_size=6, verbose=0, return_dict=True)
    assert equal(before, weights_of(gan))

    fake = np.array(gan.generator({"labels": batch["labels"]}))
    outputs = {}
    for name, image in (("fake", fake), ("real", batch["image"])):
        scales = gan.discriminator({"labels": batch["labels"], "image": image})
        outputs[name] = [[np.array(feature) for feature in scale] for scale in scales]
    logits = {name: [scale[-1] for scale in scales] for name, scales in outputs.items()}
    want = {
        "generator/adversarial": np.mean([-x.mean() for x in logits["fake"]]),
        "generator/feature_matching": 10
        / 2
        * sum(
            np.abs(f - r).mean()
            for fakes, reals in zip(outputs["fake"], outputs["real"], strict=True)
            for f, r in zip(fakes[:-1], reals[:-1], strict=True)
        ),
        "discriminator/real": np.mean([np.maximum(0, 1 - x).mean() for x in logits["real"]]),
        "discriminator/fake": np.mean([np.maximum(0, 1 + x).mean() for x in logits["fake"]]),
    }
    assert got == pytest.approx(want, rel=1e-4)


def test_averages_weigh_by_the_size_of_the_batch(make_gan, batch):
    gan = make_gan()
    parts = [{k: v[:4] for k, v in batch.items()}, {k: v[4:] for k, v in batch.items()}]
    each = [gan.evaluate(p, batch_size=4, verbose=0, return_dict=True) for p in parts]
    both = gan.evaluate(batch, batch_size=4, verbose=0, return_dict=True)
    for name in LOSSES:
        assert both[name] == pytest.approx((4 * each[0][name] + 2 * each[1][name]) / 6, rel=1e-5)


def test_batches_may_be_tuples_datasets_or_bytes(make_gan, batch):
    gan = make_gan()
    labels, image = batch["labels"], batch["image"]
    want = gan.evaluate({"labels": labels, "image": image}, verbose=0, return_dict=True)
    assert gan.evaluate(labels, image, verbose=0, return_dict=True) == pytest.approx(want)
    tf = pytest.importorskip("tensorflow", reason="tf.data is TensorFlow's")
    data = tf.data.Dataset.from_tensor_slices((labels.astype("uint8"), image)).batch(6)
    assert gan.evaluate(data, verbose=0, return_dict=True) == pytest.approx(want)

    pixels = np.round((image + 1) * 127.5).astype("uint8")
    floats = (pixels / 127.5 - 1).astype("float32")
    want = gan.evaluate(labels, floats, verbose=0, return_dict=True)
    assert gan.evaluate(labels, pixels, verbose=0, return_dict=True) == pytest.approx(
        want, rel=1e-4
    )


def test_instances_and_edges_are_the_same(make_gan, batch):
    gan = make_gan(instance_edges=True)
    instances = batch["instances"]
    edges = np.zeros(instances.shape, "float32")
    horizontal, vertical = np.diff(instances, axis=2) != 0, np.diff(instances, axis=1) != 0
    edges[:, :, 1:] += horizontal
    edges[:, :, :-1] += horizontal
    edges[:, 1:] += vertical
    edges[:, :-1] += vertical
    given = {**batch, "edges": np.minimum(edges, 1)}
    del given["instances"]
    want = gan.evaluate(given, verbose=0, return_dict=True)
    assert gan.evaluate(batch, verbose=0, return_dict=True) == pytest.approx(want)


def test_float_maps(make_gan, batch):
    gan = make_gan(conditioning="dense")
    one_hot = np.eye(5, dtype="float32")[batch["labels"]]
    data = {"segmap": one_hot, "image": batch["image"]}
    gan.fit(data, batch_size=3, verbose=0)
    assert gan.generate(one_hot).shape == (6, 32, 64, 3)
    with pytest.raises(ValueError, match="'segmap'"):
        gan.fit(batch, verbose=0)
    with pytest.raises(ValueError, match=r"`labels` must have shape \(batch, H, W, 5\)"):
        gan.generate(batch["labels"])


# === Painting ===


def test_generate_is_the_generator_in_bytes(make_gan, batch):
    gan = make_gan(encoder=True)
    latent = np.random.default_rng(1).normal(size=(6, 8)).astype("float32")
    got = gan.generate(batch["labels"], latent=latent)
    images = np.array(gan.generator({"labels": batch["labels"], "latent": latent}))
    want = np.round((images.astype("float64") + 1) * 127.5)
    assert got.dtype == np.uint8 and got.shape == (6, 32, 64, 3)
    assert np.max(np.abs(got - want)) <= 1 and np.mean(got != want) < 0.01
    one = gan.generate(batch["labels"], latent=latent[:1])
    assert np.array_equal(one[0], got[0]) and not np.array_equal(one[1], got[1])


def test_generate_repeats_under_a_seed(make_gan, batch):
    gan = make_gan(encoder=True)
    labels = batch["labels"]
    assert np.array_equal(gan.generate(labels, seed=7), gan.generate(labels, seed=7))
    assert not np.array_equal(gan.generate(labels, seed=7), gan.generate(labels, seed=8))
    assert not np.array_equal(gan.generate(labels), gan.generate(labels))


def test_latents_without_encoder_are_standard_normal(make_gan, batch, monkeypatch):
    gan = make_gan(latent_dim=4)
    seen = []
    generator = gan.paint_checked
    monkeypatch.setattr(
        gan, "paint_checked", lambda inputs: seen.append(inputs) or generator(inputs)
    )
    for seed in range(20):
        gan.generate(batch["labels"][:1], seed=seed)
    latents = np.concatenate([inputs["latent"] for inputs in seen])
    assert latents.shape == (20, 4)
    assert abs(latents.mean()) < 0.35 and abs(latents.std() - 1) < 0.25


def test_style_comes_from_the_encoder(make_gan, batch):
    gan = make_gan(encoder=True)
    style = batch["image"][:1]
    head = gan.encoder.get_layer("log_variance")
    head.kernel.assign(np.zeros(head.kernel.shape))
    head.bias.assign(np.full(head.bias.shape, -100.0))  # no spread: the latent is the mean
    mean = np.array(gan.encoder(style)[0])
    want = gan.generate(batch["labels"], latent=mean)
    assert np.array_equal(gan.generate(batch["labels"], style_image=style, seed=1), want)
    pixels = np.round((style + 1) * 127.5).astype("uint8")
    close = gan.generate(batch["labels"], style_image=pixels)
    assert np.mean(np.abs(close.astype(int) - want)) < 2
    assert gan.generate(batch["labels"], style_image=pixels[:, ::2, ::2]).shape == want.shape


def test_predict_never_sees_the_photograph(make_gan, batch):
    gan = make_gan(encoder=True)
    latent = np.zeros((6, 8), "float32")
    data = {"labels": batch["labels"], "latent": latent}
    want = gan.predict(data, verbose=0)
    assert want.dtype == np.float32 and np.abs(want).max() <= 1
    other = {**data, "image": np.ones_like(batch["image"])}
    assert np.array_equal(gan.predict(other, verbose=0), want)
    assert np.array_equal(np.array(gan(data)), gan.predict_on_batch(data))
    assert gan.predict(batch["labels"], verbose=0).shape == want.shape
    assert gan.predict((batch["labels"], batch["image"]), verbose=0).shape == want.shape
    assert gan.predict_on_batch((batch["labels"], batch["image"])).shape == want.shape


@pytest.mark.parametrize("dtype", ["float32", "mixed_float16"])
def test_own_perceptual_losses_see_images_of_one_dtype(dtype):
    def distance(fake, real):
        assert fake.dtype == real.dtype
        return keras.ops.mean(abs(fake - real))

    gan = tiny_gan(latent_dim=None, dtype=dtype, perceptual_loss=distance, run_eagerly=True)
    batch = tiny_batch()
    data = {"labels": batch["labels"], "image": batch["image"].astype("float64")}
    found = gan.test_on_batch(data, return_dict=True)["generator/perceptual"]
    want = 10 * np.abs(gan.predict_on_batch(batch["labels"]) - batch["image"]).mean()
    assert float(found) == pytest.approx(want, rel=1e-3)


# === Bad input ===


def test_networks_that_do_not_belong_together():
    shape = (32, 32, 3)
    generator = SPADEGenerator(5, shape, base_filters=2, latent_dim=8)
    with pytest.raises(ValueError, match="same num_classes: 5 against 6"):
        GauGAN(generator, MultiScaleDiscriminator(6, shape, base_filters=2))
    with pytest.raises(ValueError, match="same instance_edges"):
        GauGAN(generator, MultiScaleDiscriminator(5, shape, instance_edges=True, base_filters=2))
    discriminator = MultiScaleDiscriminator(5, shape, base_filters=2)
    with pytest.raises(ValueError, match="same latent_dim: 16 against 8"):
        GauGAN(generator, discriminator, StyleEncoder(shape, 16, base_filters=2))
    with pytest.raises(ValueError, match="same image_shape"):
        GauGAN(generator, discriminator, StyleEncoder((64, 32, 3), 8, base_filters=2))


@pytest.mark.parametrize(
    "change, message",
    [
        ({"labels": None}, "lacks the key 'labels'"),
        ({"image": None}, "lacks the key 'image'"),
        ({"instances": None}, "lacks the key 'instances'"),
        ({"labels": np.zeros((6, 32, 64), "float32")}, "`labels` must be integer ids"),
        (
            {"labels": np.zeros((6, 32, 64, 1), "int32")},
            r"`labels` must have shape \(batch.* pass array\[\.\.\., 0\]",
        ),
        ({"labels": np.zeros((6, 32, 32), "int32")}, r"`labels` must have shape \(batch, 32, 64\)"),
        (
            {"image": np.zeros((6, 64, 64, 3), "float32")},
            r"`image` must have shape \(batch, 32, 64",
        ),
        ({"image": np.zeros((6, 32, 64, 1), "float32")}, "`image` must have shape"),
    ],
)
def test_batches_that_do_not_fit(make_gan, batch, change, message):
    gan = make_gan(instance_edges=True)
    bad = {k: v for k, v in {**batch, **change}.items() if v is not None}
    with pytest.raises(ValueError, match=message):
        gan.fit(bad, verbose=0)


@pytest.mark.parametrize(
    "void_class, largest",
    [pytest.param(False, 4, marks=pytest.mark.slow_on("tensorflow")), (True, 5)],
)
def test_labels_out_of_range_stop_training(make_gan, batch, void_class, largest):
    gan = make_gan(void_class=void_class, run_eagerly=void_class and EAGERLY)
    batch["labels"][0, 0, 0] = largest
    gan.fit(batch, batch_size=6, verbose=0)
    before = [np.array(v) for v in gan.trainable_variables]
    for wrong in (largest + 1, 255, -1):
        batch["labels"][0, 0, 0] = wrong
        with pytest.raises(label_error(), match=f"ids 0..{largest}"):
            gan.fit(batch, batch_size=6, verbose=0)
    assert equal(before, [np.array(v) for v in gan.trainable_variables])


def test_generate_checks_its_arguments(make_gan, batch):
    gan, labels = make_gan(encoder=True, instance_edges=True), batch["labels"]
    instances, image = batch["instances"], batch["image"]
    message = r"`labels` must hold ids 0\.\.4; found .*: 0, 9\. Ids are counted"
    with pytest.raises(ValueError, match=message):
        gan.generate(np.where(labels == 1, 9, labels), instances)
    with pytest.raises(
        ValueError, match=r"`labels` must have shape \(batch, H, W\).*array\[None\]"
    ):
        gan.generate(labels[0], instances)
    with pytest.raises(ValueError, match="`labels` must be an array of ids, got 'a.png'.*read_la"):
        gan.generate("a.png")
    with pytest.raises(ValueError, match="integer ids, got dtype float"):
        gan.generate(labels.astype("float32"), instances)
    with pytest.raises(ValueError, match="`instances` is needed"):
        gan.generate(labels)
    with pytest.raises(ValueError, match="`instances` must have the shape"):
        gan.generate(labels, instances[:, :16])
    with pytest.raises(ValueError, match=r"`latent` must have shape \(6, 8\)"):
        gan.generate(labels, instances, latent=np.zeros((6, 7)))
    with pytest.raises(ValueError, match="cannot both be given"):
        gan.generate(labels, instances, style_image=image, latent=np.zeros((6, 8)))
    with pytest.raises(ValueError, match=r"`style_image` must have shape.*array\[None\]"):
        gan.generate(labels, instances, style_image=image[0])
    with pytest.raises(ValueError, match="has no encoder"):
        make_gan(latent_dim=4).generate(labels, style_image=image)
    with pytest.raises(ValueError, match="latent_dim=None"):
        make_gan().generate(labels, style_image=image)


def test_compile_checks_its_arguments(make_gan):
    gan = make_gan(compiled=False)
    with pytest.raises(ValueError, match="`perceptual_loss` must be"):
        gan.compile(perceptual_loss="vgg16")
    with pytest.raises(ValueError, match="`kind` must be one of"):
        gan.compile(adversarial_loss="hing", perceptual_loss=None)


def test_compile_refuses_before_it_loads_vgg19(make_gan, monkeypatch):
    def load(*args, **kwargs):
        raise RuntimeError("loaded")

    monkeypatch.setattr(keras.applications, "VGG19", load)
    gan = make_gan(compiled=False)
    for arguments in ({"kl_reduction": "avg"}, {"kl_weight": -1.0}, {"max_skipped_steps": 0}):
        with pytest.raises(ValueError, match=f"`{next(iter(arguments))}` must"):
            gan.compile(**arguments)


def test_compile_refuses_what_cannot_be(make_gan):
    gan = make_gan(compiled=False)
    adam = keras.optimizers.Adam()
    for arguments, message in (
        ({"kl_reduction": "avg"}, '`kl_reduction` must be "sum" or "mean"'),
        ({"feature_matching_weight": -3.0}, "`feature_matching_weight` must not be negative"),
        ({"adversarial_loss": 3}, "`adversarial_loss` must be a kind or a loss, got 3"),
        ({"generator_optimizer": adam, "discriminator_optimizer": adam}, "must be two objects"),
    ):
        with pytest.raises(ValueError, match=message):
            gan.compile(perceptual_loss=None, **arguments)


def test_a_weight_of_zero_needs_no_vgg19(make_gan):
    gan = make_gan(compiled=False)
    gan.compile(perceptual_weight=0.0)
    assert gan.perceptual_loss is None


def test_loss_scaling_does_not_change_the_step(make_gan, batch):
    moved = []
    for scale in (None, 1024.0):
        keras.utils.set_random_seed(0)
        gan = make_gan(compiled=False)
        sgd = [keras.optimizers.SGD(0.1, loss_scale_factor=scale) for _ in range(2)]
        gan.compile(*sgd, perceptual_loss=None, run_eagerly=EAGERLY)
        before = np.array(gan.generator.get_layer("conv_img").kernel)
        gan.train_on_batch(batch)
        moved.append(np.array(gan.generator.get_layer("conv_img").kernel) - before)
    assert np.abs(moved[0]).max() > 0
    assert np.allclose(moved[0], moved[1], rtol=1e-4, atol=1e-8)


def test_what_cannot_be_used_is_refused(make_gan, batch):
    gan = make_gan()
    labels, image = batch["labels"], batch["image"]
    with pytest.raises(ValueError, match="`sample_weight` is not used"):
        gan.fit(labels, image, sample_weight=np.ones(6), verbose=0)
    with pytest.raises(ValueError, match="without instance_edges"):
        gan.generate(labels, instances=batch["instances"])
    with pytest.raises(ValueError, match="`style_image`: the model has no encoder"):
        make_gan(latent_dim=4)({"labels": labels, "style_image": image})
    with pytest.raises(ValueError, match="`generator` must be a Generator, got MultiScale"):
        GauGAN(gan.discriminator, gan.generator)


def test_predict_checks_the_range_of_labels(make_gan, batch):
    with pytest.raises(label_error(), match="ids 0..4"):
        make_gan().predict(batch["labels"] + 5, verbose=0)


def test_xla_is_never_chosen_by_itself_but_on_jax(make_gan):
    # TensorFlow would then skip the range check.
    assert make_gan(run_eagerly=False).jit_compile == (BACKEND == "jax")


def test_losses_and_optimizers_are_replaceable(make_gan, batch):
    gan = make_gan(compiled=False)
    gan.compile(
        generator_optimizer=keras.optimizers.SGD(0.0),
        discriminator_optimizer="rmsprop",
        adversarial_loss=AdversarialLoss("least_squares"),
        perceptual_loss=PerceptualLoss(weights=None),
        run_eagerly=EAGERLY,
    )
    before = [np.array(v) for v in gan.generator.trainable_variables]
    gan.fit(batch, batch_size=6, verbose=0)
    assert equal(before, [np.array(v) for v in gan.generator.trainable_variables])
    assert isinstance(gan.discriminator_optimizer, keras.optimizers.RMSprop)

    got = gan.evaluate(batch, batch_size=6, verbose=0, return_dict=True)
    scales = gan.discriminator({"labels": batch["labels"], "image": batch["image"]})
    want = np.mean([np.mean((np.array(scale[-1]) - 1) ** 2) for scale in scales])
    assert got["discriminator/real"] == pytest.approx(want, rel=1e-4)
    assert got["generator/perceptual"] > 0


def test_config_round_trip(make_gan):
    gan = make_gan(encoder=True, compiled=False)
    twin = GauGAN.from_config(gan.get_config())
    assert twin.get_config() == gan.get_config()
    assert [w.shape for w in twin.weights] == [w.shape for w in gan.weights]
