"""A segmenter trained on real photographs, to evaluate painted ones.

    python -m examples.paper.segmenter --data=camvid --dataset=camvid --validation_split=val \\
        --image_size=96,128 --segmenter_minutes=10

A small U-Net. This prints its mIoU and accuracy on the real validation photographs, which
painted ones are not expected to exceed, and writes segmenter.keras to --run_dir, with its settings
in segmenter.json. The tables' commands train it themselves if it does not exist yet.
"""

import json
import pathlib

import keras
import tensorflow as tf

from examples import _data_options, _errors
from examples.paper import options
from examples.paper.options import FLAGS
from examples.paper.results import differences
from examples.paper.samples import Samples
from examples.paper.time_limit import TimeLimit
from keras_spade import files, images, metrics

FILTERS = 24
DEPTH = 4


def check_image_size(height, width):
    """Refuses image sizes that the segmenter cannot halve.

    Args:
        height: in pixels.
        width: in pixels.

    Raises:
        ValueError: naming the flag.
    """
    factor = 2**DEPTH
    if height % factor or width % factor:
        raise ValueError(
            f"--image_size={height},{width}: the segmenter halves it {DEPTH} times; height and "
            f"width must be divisible by {factor}."
        )


def make_segmenter(image_shape, num_classes, filters=FILTERS):
    """A U-Net of images in [0, 255] that returns class scores `(batch, height, width, classes)`.

    Two 3 x 3 convolutions per resolution with batch norm and ReLU, with `filters` channels at full
    size and twice as many at each halving, up to `DEPTH`; skip connections. The lowest activations
    are the layer `"lowest"`.

    Args:
        image_shape: `(height, width, channels)`, sizes divisible by 16.
        num_classes: void not counted.
        filters: at the full size.
    """
    check_image_size(*image_shape[:2])

    def block(x, filters, name=None):
        for last in (False, True):
            x = keras.layers.Conv2D(filters, 3, padding="same", use_bias=False)(x)
            x = keras.layers.BatchNormalization(momentum=0.9)(x)
            x = keras.layers.ReLU(name=name if last else None)(x)
        return x

    inputs = keras.Input(image_shape, name="image")
    x = keras.layers.Rescaling(1 / 127.5, -1)(inputs)
    skips = []
    for i in range(DEPTH):
        x = block(x, filters * 2**i)
        skips.append(x)
        x = keras.layers.MaxPooling2D(2)(x)
    x = block(x, filters * 2**DEPTH, name="lowest")
    for i in reversed(range(DEPTH)):
        x = keras.layers.UpSampling2D(2)(x)
        x = block(keras.layers.Concatenate()([skips[i], x]), filters * 2**i)
    scores = keras.layers.Conv2D(num_classes, 1, name="scores")(x)
    return keras.Model(inputs, scores, name="segmenter")


def train_segmenter(samples):
    """Trains a segmenter on the real photographs that GANs train on.

    Args:
        samples: the `Samples`.

    Returns:
        The segmenter.
    """
    keras.utils.set_random_seed(FLAGS.seed)
    filters = 2 if FLAGS.quick else FILTERS
    segmenter = make_segmenter(samples.image_shape, samples.num_classes, filters)
    # Void pixels have the id after the last class.
    loss = keras.losses.SparseCategoricalCrossentropy(
        from_logits=True, ignore_class=samples.num_classes
    )
    segmenter.compile(keras.optimizers.Adam(1e-3), loss, run_eagerly=FLAGS.quick)

    def pixels_and_labels(batch):
        return images.to_pixels(tf.cast(batch["image"], "float32")), batch["labels"]

    data = samples.training.map(pixels_and_labels)
    clock = TimeLimit(FLAGS.segmenter_minutes, FLAGS.steps, options.clock())
    segmenter.fit(data, epochs=10**6, callbacks=[clock], verbose=0, shuffle=False)
    return segmenter


def load_or_train(samples, run_dir, data):
    """The segmenter of a folder, trained if there is none yet.

    Args:
        samples: the `Samples`.
        run_dir: the folder, of `segmenter.keras` and of its settings, `segmenter.json`.
        data: the result of `options.data_settings`.

    Raises:
        ValueError: if it was trained with other settings or other data.
    """
    path, about = run_dir / "segmenter.keras", run_dir / "segmenter.json"
    settings = options.segmenter_settings(data)
    instead = "Choose another --run_dir, or delete the file."
    if path.exists():
        if not about.exists():
            raise ValueError(f"{path}: there is no {about.name} with its settings. {instead}")
        if changed := differences(json.loads(about.read_text()), settings):
            raise ValueError(f"{path} was trained with other settings ({changed}). {instead}")
        return keras.models.load_model(path)
    print("Training the segmenter.", flush=True)
    segmenter = train_segmenter(samples)
    # The segmenter last: after an interruption, there is none, and the settings are overwritten.
    with files.replacing(about) as partial:
        partial.write_text(json.dumps(settings, indent=1))
    with files.replacing(path) as partial:
        segmenter.save(partial)
    return segmenter


def consistency(segmenter, samples, images):
    """`mean_iou` and `pixel_accuracy` of a segmenter on images of the validation maps.

    Args:
        segmenter: the segmenter.
        samples: the `Samples`.
        images: uint8, one per validation map.
    """
    metric = metrics.SegmentationConsistency(segmenter, samples.num_classes, samples.void_class)
    for part in samples.parts():
        metric.update_state(samples.labels[part], images[part])
    return {name: float(value) for name, value in metric.result().items()}


def main(argv):
    """Trains a segmenter and prints how good it is."""
    options.apply_quick()
    check_image_size(*_data_options.numbers("image_size"))
    samples = Samples.load()
    run_dir = pathlib.Path(FLAGS.run_dir)
    run_dir.mkdir(parents=True, exist_ok=True)
    segmenter = load_or_train(samples, run_dir, options.data_settings())
    scores = consistency(segmenter, samples, samples.images)
    print(f"Real validation photographs: {samples.count}; {samples.protocol}.")
    print(f"mIoU {scores['mean_iou']:.3f}, pixel accuracy {scores['pixel_accuracy']:.3f}")


if __name__ == "__main__":
    _errors.run(main)
