import json

import keras
import numpy as np
import pytest

from examples.paper.keras_io.measuring import Measure, Records, refuse_passed, saturation, spread


def test_colours_by_hand():
    pictures = np.zeros((2, 4, 4, 3), "uint8")
    pictures[0, ..., 0] = 100
    assert saturation(pictures) == 50
    assert spread(pictures) == pytest.approx(50 / 3)  # 50 in one channel, 0 in two.


def test_distances_of_pooled_pixels():
    photographs = np.random.default_rng(0).integers(0, 200, (8, 8, 8, 3)).astype("uint8")
    measure = Measure(photographs, "")
    found = measure(photographs + np.uint8(51))
    # All 48 means move by 0.2.
    assert found["frechet"] == pytest.approx(48 * 0.04, rel=1e-5)
    assert measure(photographs)["frechet"] == pytest.approx(0, abs=1e-8)


def test_records_are_whole_after_an_interruption(tmp_path):
    records = Records(tmp_path)
    kept = records.measurements
    assert kept.all() == []
    kept.add_all([{"time": 1.0}, {"time": 2.0, "losses": {"kl": 1.0}}])
    with open(kept.path, "a") as file:
        file.write('{"time": 3, "losses": {"kl": 1.0}')  # The process was killed here.
    assert [row["time"] for row in kept.all()] == [1.0, 2.0]
    kept.add_all([{"time": 4.0}])
    assert [row["time"] for row in kept.all()] == [1.0, 2.0, 4.0]


def test_another_protocol_is_refused(tmp_path):
    records = Records(tmp_path)
    records.keep_protocol({"maps": 30}, {})
    with pytest.raises(ValueError, match=r"another protocol \(--maps=30 before, 20 now\)"):
        records.keep_protocol({"maps": 20}, {})


@pytest.mark.parametrize("order", [("constant", "falling"), ("falling", "constant")])
def test_the_last_time_belongs_to_a_run_whose_rates_fall(tmp_path, order):
    last_times = {"constant": {}, "falling": {"ours decay=True": 745.0}}
    records = Records(tmp_path)
    for rates in (*order, *order):
        records.keep_protocol({"maps": 30}, last_times[rates])
    records.keep_protocol({"maps": 30}, {"keras_io decay=True": 372.0})
    message = (
        "the rates of 'ours decay=True' fall to 0 at the last of --times, 745 before, 1193 now. "
        "Choose another --out."
    )
    with pytest.raises(ValueError, match=message):
        records.keep_protocol({"maps": 30}, {"ours decay=True": 1193.0})
    protocol = json.loads((tmp_path / "protocol.json").read_text())
    times = {"ours decay=True": 745.0, "keras_io decay=True": 372.0}
    assert protocol == {"maps": 30, "last_times": times}


def test_a_run_of_an_older_folder_goes_on(tmp_path):
    path = tmp_path / "protocol.json"
    path.write_text(json.dumps({"maps": 30, "last_time": 745.0}))
    records = Records(tmp_path)
    with pytest.raises(ValueError, match="745 before, 1193 now"):
        records.keep_protocol({"maps": 30}, {"ours decay=True": 1193.0})
    records.keep_protocol({"maps": 30}, {})
    records.keep_protocol({"maps": 30}, {"ours decay=True": 745.0})
    assert json.loads(path.read_text())["last_time"] == 745


def test_states(tmp_path):
    class Side:
        def __init__(self, values):
            self.kept = [keras.Variable(value) for value in values]

        def variables(self):
            return self.kept

    records = Records(tmp_path)
    fresh = Side([0.0, [0, 0]])
    assert records.load_state("a", fresh) == {"before": 0.0, "seconds": 0.0, "steps": 0}
    clock = {"before": 1.25, "seconds": 1.5, "steps": 7}
    records.save_state("a", Side([2.0, [3, 4]]), clock)
    assert records.load_state("a", fresh) == clock
    assert [np.array(v).tolist() for v in fresh.variables()] == [2.0, [3, 4]]


def test_moments_that_training_has_passed_are_refused():
    clock = {"before": 1192.5, "seconds": 1193.5, "steps": 900}
    refuse_passed({1193.0, 2000.0}, clock, "ours-0")  # Crossed by the last step; still to come.
    refuse_passed({500.0}, {"before": 0.0, "seconds": 0.0, "steps": 0}, "ours-0")
    with pytest.raises(ValueError, match="--times=400,500: ours-0 has been trained for 1193.5 s"):
        refuse_passed({500.0, 400.0, 2000.0}, clock, "ours-0")
