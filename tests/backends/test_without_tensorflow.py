"""On JAX and PyTorch, TensorFlow is not needed."""

import os
import subprocess
import sys

from support.backends import not_on

SCRIPT = """
import sys

sys.modules["tensorflow"] = None  # whoever imports it fails
sys.path.insert(0, sys.argv[1])
import conftest
import keras, numpy as np
from support.tiny_gan import state_of, tiny_batch, tiny_gan
from keras_spade import callbacks

folder, data = sys.argv[2], tiny_batch(4)


def train(model, epochs):
    backup = callbacks.BackupAndRestore(folder + "/backup")
    grid = callbacks.ImageGrid(data, folder)
    return model.fit(
        data, batch_size=2, epochs=epochs, validation_data=data, verbose=0, callbacks=[backup, grid]
    )


gan = tiny_gan()
train(gan, 1)
gan.save(folder + "/gan.keras")
latent = np.ones((4, 2), "float32")
want = gan.generate(data["labels"], latent=latent)
twin = keras.models.load_model(folder + "/gan.keras")
assert np.array_equal(twin.generate(data["labels"], latent=latent), want)
history = train(twin, 2)
assert history.epoch == [0, 1]
assert int(twin.generator_optimizer.iterations) == 4
train(gan, 2)  # from the end
states = state_of(gan), state_of(twin)
assert all(np.array_equal(states[0][k], states[1][k]) for k in states[0])
assert not [name for name in sys.modules if name.startswith("tensorflow.")]
"""


@not_on("tensorflow", "it is what the others do without")
def test_training_saving_and_going_on(tmp_path):
    tests = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    result = subprocess.run(
        [sys.executable, "-c", SCRIPT, tests, str(tmp_path)],
        cwd=os.path.dirname(tests),
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert result.returncode == 0, result.stderr[-3000:]
    assert sorted(path.name for path in tmp_path.glob("*.png")) == [
        "epoch_0001.png",
        "epoch_0002.png",
    ]
