import numpy as np
from matplotlib import pyplot as plt
from PIL import Image

from examples.paper.keras_io import report
from keras_spade import datasets
from keras_spade.metrics import SegmentationConsistency

ROWS = [
    {"run": "ours", "variant": "moving", "seed": seed, "time": time, "frechet": frechet}
    for seed, time, frechet in ((0, 10.0, 2.0), (1, 10.0, 1.0), (0, 20.0, 0.5))
]


def test_the_origin_of_the_label_maps(tmp_path):
    (tmp_path / "base").mkdir()
    for number in (1, 2):
        for suffix in ("jpg", "png"):
            picture = Image.new("RGB" if suffix == "jpg" else "L", (8, 8), int(suffix == "png"))
            picture.save(tmp_path / "base" / f"cmp_b000{number}.{suffix}")
    sizes = {"image_size": (8, 8), "batch_size": 1}
    some = {"split": "base", "validation_split": 0.5, "subset": "validation"}
    data = datasets.cmp_facades(tmp_path, **sizes, **some)
    assert report.data_line(datasets.source_of(data)) == (
        "CMP Facades, split base, validation_split 0.5, subset validation, photographs resized "
        "bicubically, label maps by nearest neighbours (stretch), void painted as a class"
    )
    scenes = datasets.source_of(datasets.synthetic_scenes(1, image_size=(32, 32), batch_size=1))
    assert report.data_line(scenes) == "drawn scenes, drawn at this size, no void"


def test_a_cell_is_the_mean_of_the_seeds():
    lines = report.table(ROWS).splitlines()
    assert lines[0] == "| run | statistics and weights | seeds | 10 s | 20 s |"
    assert lines[2] == "| ours | moving | 2 | 1.5 (1 to 2) | 0.5 |"


def test_speeds():
    rows = [{"run": "ours", "images": 30, "seconds": 10.0, "parameters": 1234567}]
    assert report.speeds(rows).splitlines()[2] == "| ours | 3.00 | 1,234,567 |"


def test_agreement_pools_the_seeds():
    labels = np.array([[[0, 1]]])
    right, wrong = np.array([[[[0], [255]]]], "uint8"), np.array([[[[255], [255]]]], "uint8")

    def segmenter(images):  # Bright is class 1.
        bright = np.asarray(images)[..., 0] > 127
        return np.stack([~bright, bright], axis=-1).astype("float32")

    def load_pictures(run, time):
        return {"moving": wrong if (run, time) == ("ours-1", 10.0) else right}

    metric = SegmentationConsistency(segmenter, num_classes=2)
    lines = report.agreement(ROWS, load_pictures, metric, labels, right).splitlines()
    assert lines[0] == "| run | statistics and weights | seeds | 10 s | 20 s |"
    assert lines[2] == "| photographs |  |  | 1.000 (1.000) | 1.000 (1.000) |"
    # At 10 s, class 0 is found once of twice, and class 1 in 3 pixels instead of 2.
    assert lines[3] == "| ours | moving | 2 | 0.583 (0.750) | 1.000 (1.000) |"


def test_pictures(tmp_path):
    report.draw_curves(ROWS, tmp_path / "curves.png", real=0.4)
    pictures = np.zeros((2, 8, 8, 3), "uint8")
    variant, chosen = report.shown({"moving": pictures, "calibrated": pictures + 1})
    assert variant == "calibrated" and chosen.max() == 1
    assert plt.imread(tmp_path / "curves.png").shape[1] > 500
