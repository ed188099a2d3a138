"""Writes the files of `tests/golden/files` with the package found on PYTHONPATH.

The committed files were written by commit e97a76b. Later versions must load them, and training
resumed from them must give the same numbers, so do not write them again when the package changes.
From the root of the repository, with a checkout of that commit in `../old`:

    PYTHONPATH=../old python tests/reference/make_golden_files.py

- `gan.keras`: a GAN after four steps, with encoder, instance edges, a void class, averages of
  weights and both optimizers.
- `gan.weights.h5`: the weights of a GAN compiled with SGD for the generator.
- `backup/`: the files of `callbacks.BackupAndRestore` after a run that was interrupted in the
  middle of its second epoch.
- `expected.npz`: checksums of the content of `gan.keras`, pictures that it paints, the results of
  training resumed from each file, and sums that identify this machine (see
  `tests/processes/go_on.py`). It was written a second time, by the same commit from the same
  files, when `go_on.py` turned graph rewriting off.
"""

import shutil
import sys
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TESTS / "processes"))

import go_on
import keras
import numpy as np

from keras_spade.optimizers import BiasCorrectedAdam

OUT = TESTS / "golden" / "files"


def main():
    """Writes all of it."""
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir()
    gan = go_on.new_gan(BiasCorrectedAdam(1e-3, use_ema=True, ema_momentum=0.9))
    gan.fit(go_on.batches(), epochs=2, verbose=0)
    gan.save(OUT / "gan.keras")
    light = go_on.new_gan(keras.optimizers.SGD(1e-3))
    light.set_weights(gan.get_weights())
    light.save_weights(OUT / "gan.weights.h5")
    go_on.train_with_backup(OUT / "backup", go_on.epochs(), stop_at=(1, 1))
    found = {"machine": go_on.machine()}
    for way, function in go_on.WAYS.items():
        found |= {f"{way}/{name}": value for name, value in function(OUT).items()}
    for name, value in go_on.state_of(gan).items():
        np.testing.assert_array_equal(found[f"model/loaded/{name}"], value, strict=True)
    np.savez_compressed(OUT / "expected.npz", **found)


main()
