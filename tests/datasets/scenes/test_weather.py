import numpy as np
import pytest

from keras_spade.datasets.scenes import scene_painter
from keras_spade.datasets.scenes.synthetic_scenes import SCENE_CLASSES
from keras_spade.datasets.scenes.weather import Weather

IDS = {name: place for place, name in enumerate(SCENE_CLASSES)}


def scenes(monkeypatch, **weather):
    """Labels and float images of twelve scenes in one weather."""
    monkeypatch.setattr(Weather, "drawn", classmethod(lambda cls, rng: cls(**weather)))
    drawn = [scene_painter.paint_scene((64, 64), 0, index, True) for index in range(12)]
    labels, _, images = (np.stack(arrays) for arrays in zip(*drawn, strict=True))
    return labels, images.astype(float)


def mean(scenes, name):
    labels, images = scenes
    return images[labels == IDS[name]].mean(0)


def test_clear_noon_is_the_day(monkeypatch):
    day = [scene_painter.paint_scene((64, 64), 0, index, False)[2] for index in range(12)]
    np.testing.assert_array_equal(scenes(monkeypatch)[1], np.stack(day))


@pytest.mark.parametrize("name", ["grass", "wall", "tree", "sky"])
def test_night_is_dark_and_blue(monkeypatch, name):
    day, night = mean(scenes(monkeypatch), name), mean(scenes(monkeypatch, night=1.0), name)
    assert night.mean() < 0.5 * day.mean()
    assert night[2] / night[0] > 1.2 * day[2] / day[0]


def test_lamps_burn_at_night_and_not_by_day(monkeypatch):
    day, night = scenes(monkeypatch), scenes(monkeypatch, night=1.0)
    assert mean(night, "window")[0] > mean(night, "wall")[0] + 40
    assert mean(day, "window")[0] < mean(day, "wall")[0]


@pytest.mark.parametrize(("name", "white"), [("grass", True), ("roof", True), ("water", False)])
def test_snow_lies_on_ground_and_roofs(monkeypatch, name, white):
    summer, winter = mean(scenes(monkeypatch), name), mean(scenes(monkeypatch, snow=1.0), name)
    assert (np.ptp(winter) < 0.4 * np.ptp(summer)) == white
    assert (winter.mean() > summer.mean() + 30) == white


def test_fog_hides_what_is_far(monkeypatch):
    clear, fog = scenes(monkeypatch), scenes(monkeypatch, fog=1.0)
    labels, images = clear
    left = {}
    for name in ("mountain", "grass"):
        at = labels == IDS[name]
        left[name] = fog[1][at].std() / images[at].std()
    assert left["mountain"] < 0.3 < 0.6 < left["grass"]


def test_overcast_sky_is_grey(monkeypatch):
    clear, grey = mean(scenes(monkeypatch), "sky"), mean(scenes(monkeypatch, overcast=1.0), "sky")
    assert np.ptp(clear) > 60 and np.ptp(grey) < 0.4 * np.ptp(clear)


def test_weather_is_drawn_of_all_kinds():
    rng = np.random.default_rng(0)
    drawn = [Weather.drawn(rng) for _ in range(400)]
    share = {name: np.mean([getattr(one, name) > 0.3 for one in drawn]) for name in vars(drawn[0])}
    assert 0.14 < share["night"] < 0.27 and 0.2 < share["snow"] < 0.3
    assert 0.25 < share["overcast"] < 0.35 and 0.15 < share["fog"] < 0.25
    assert 0.5 < share["evening"] < 0.65
