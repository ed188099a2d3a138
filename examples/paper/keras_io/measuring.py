"""Distances between painted pictures and photographs, and the records of a comparison."""

import json

import keras
import numpy as np

from examples.paper.results import Results, differences
from keras_spade import files, metrics


class Measure:
    """Distances of sets of pictures from the photographs of the same label maps.

    Args:
        photographs: uint8 `(n, H, W, 3)`.
        vgg16: a file of VGG16's weights; `""`: features are pixels, pooled to 4 x 4.
    """

    def __init__(self, photographs, vgg16):
        self.network = metrics.VGG16Features(vgg16, image_size=None) if vgg16 else pooled_pixels
        self.name = "VGG16, relu5_3, mean over the image" if vgg16 else "pixels, pooled to 4 x 4"
        self.photographs = photographs
        self.real = self.features(photographs)

    def features(self, pictures):
        """Their features, `(n, D)`."""
        parts = range(0, len(pictures), 10)
        found = [self.network(pictures[i : i + 10]) for i in parts]
        return np.concatenate([keras.ops.convert_to_numpy(x) for x in found])

    def __call__(self, pictures):
        """Returns a dict of numbers: two distances, and two statistics of colours.

        `saturation` is the mean of (largest - smallest channel); `spread` the deviation of a
        picture's mean colour from picture to picture.
        """
        fake = self.features(pictures)
        found = {"saturation": saturation(pictures), "spread": spread(pictures)}
        distances = {"frechet": metrics.FrechetDistance, "kernel": metrics.KernelDistance}
        for name, kind in distances.items():
            metric = kind(lambda features: features)
            metric.update_state(self.real, fake)
            found[name] = float(metric.result())
        return found


def saturation(pictures):
    """Of 255."""
    return float(np.mean(pictures.max(axis=-1).astype(float) - pictures.min(axis=-1)))


def spread(pictures):
    """Of 255."""
    return float(pictures.mean(axis=(1, 2)).std(axis=0).mean())


def pooled_pixels(pictures):
    """Means of 4 x 4 parts of each picture."""
    height, width = (size // 4 for size in pictures.shape[1:3])
    parts = pictures[:, : 4 * height, : 4 * width].reshape(-1, 4, height, 4, width, 3)
    return parts.mean(axis=(2, 4)).reshape(len(pictures), -1).astype("float32") / 255


class Records:
    """The folder of a comparison: measurements, states to resume from, and pictures.

    Args:
        folder: a `pathlib.Path`.
    """

    def __init__(self, folder):
        self.folder = folder
        for part in ("states", "pictures"):
            (folder / part).mkdir(parents=True, exist_ok=True)
        self.measurements = Results(folder / "measurements.jsonl", {})

    def keep_protocol(self, protocol, last_times):
        """Writes the protocol of the numbers; refuses to mix two protocols.

        Args:
            protocol: the settings that all runs share.
            last_times: when the rates of each run have fallen to 0; only of runs with --decay.

        Raises:
            ValueError: naming what differs.
        """
        path = self.folder / "protocol.json"
        theirs = json.loads(path.read_text()) if path.exists() else protocol
        if changed := differences({name: theirs.get(name) for name in protocol}, protocol):
            raise ValueError(f"{self.folder} holds numbers with another protocol ({changed}).")
        known = theirs.get("last_times", {})
        for run, time in last_times.items():
            # Older files have one time for all runs with --decay.
            before = known.get(run, theirs.get("last_time", time))
            if before != time:
                raise ValueError(
                    f"{self.folder}: the rates of {run!r} fall to 0 at the last of --times, "
                    f"{before:g} before, {time:g} now. Choose another --out."
                )
        with files.replacing(path) as partial:
            about = {**theirs, **protocol, "last_times": {**known, **last_times}}
            partial.write_text(json.dumps(about, indent=1))

    def save_state(self, run, side, clock):
        """Writes the state of training and its clock; see `load_state`."""
        arrays = [keras.ops.convert_to_numpy(variable) for variable in side.variables()]
        arrays = {f"v{i}": array for i, array in enumerate(arrays)}
        with files.replacing(self.folder / "states" / f"{run}.npz") as partial:
            np.savez(partial, **clock, **arrays)

    def load_state(self, run, side):
        """Restores the state.

        Returns:
            A dict: `seconds` and `steps` made so far, and `before`, the seconds before the last.
        """
        path = self.folder / "states" / f"{run}.npz"
        if not path.exists():
            return {"before": 0.0, "seconds": 0.0, "steps": 0}
        with np.load(path) as file:
            for i, variable in enumerate(side.variables()):
                variable.assign(file[f"v{i}"])
            seconds = {name: float(file[name]) for name in ("before", "seconds")}
            return {**seconds, "steps": int(file["steps"])}

    def save_pictures(self, run, time, pictures):
        """Writes some pictures, by variant."""
        np.savez_compressed(self.folder / "pictures" / f"{run}-{time:g}.npz", **pictures)

    def load_pictures(self, run, time):
        """A dict of them."""
        with np.load(self.folder / "pictures" / f"{run}-{time:g}.npz") as file:
            return dict(file)


def refuse_passed(times, clock, run):
    """Raises if training has passed a time not yet painted, because only its end is kept.

    Args:
        times: the times not measured yet, in seconds.
        clock: of the state; the last step may have crossed such a moment.
        run: name of the run.
    """
    passed = sorted(moment for moment in times if clock["steps"] and moment <= clock["before"])
    if passed:
        raise ValueError(
            f"--times={','.join(f'{moment:g}' for moment in passed)}: {run} has been trained for "
            f"{clock['seconds']:g} s already, and its earlier states are not kept. Ask for later "
            "times, or choose another --out."
        )
