"""Lays out and draws a scene: sky, mountains, hills, ground, and the objects on it."""

import numpy as np

from keras_spade.datasets.scenes.scene_objects import (
    GRASS,
    HILL,
    MOUNTAIN,
    PATH,
    SKY,
    WATER,
    Canvas,
    draw_cloud,
    draw_house,
    draw_sun,
    draw_tree,
    mix,
    rgb,
)
from keras_spade.datasets.scenes.weather import Weather

_EVERYTHING = (slice(None), slice(None))


def paint_scene(
    image_size: tuple[int, int], seed: int, index: int, varied: bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Draws one scene, a pure function of the arguments.

    Layout, textures and weather have separate random generators, so the style does not change the
    layout. (The size does: positions depend on the available space.)

    Args:
        image_size: (height, width) in pixels.
        seed: non-negative int.
        index: non-negative int, the number of the scene.
        varied: whether light and weather vary; otherwise it is a clear summer noon.

    Returns:
        labels uint8 (H, W), instances uint8 (H, W) numbered 1, 2, ..., image uint8 (H, W, 3).
    """
    rng = np.random.default_rng([seed, index])
    textures = np.random.default_rng([seed, index, 1])
    weather = Weather.drawn(np.random.default_rng([seed, index, 2])) if varied else Weather()
    aspect = image_size[1] / image_size[0]
    horizon = rng.uniform(0.36, 0.66)
    sunny = rng.uniform() < 0.7
    sun_x = rng.uniform(0.08, 0.92) * aspect
    canvas = Canvas(image_size, textures, light_x=sun_x if sunny else -1.0)
    zenith, haze = weather.sky()
    _sky(canvas, horizon, zenith, haze)
    if sunny:
        y, radius = horizon * rng.uniform(0.15, 0.6), rng.uniform(0.04, 0.075)
        draw_sun(canvas, sun_x, y, radius, weather.disc())
    for _ in range(rng.integers(0, 5)):
        y = horizon * rng.uniform(0.14, 0.75)
        draw_cloud(canvas, rng, rng.uniform(0.0, 1.0) * aspect, y, rng.uniform(0.2, 0.5))
    if rng.uniform() < 0.65:
        _mountains(canvas, rng, horizon, haze)
    _hills(canvas, rng, horizon, haze)
    _ground(canvas, horizon)
    if rng.uniform() < 0.55:
        _water(canvas, rng, horizon, haze, lake=rng.uniform() < 0.6)
    _objects(canvas, rng, horizon)
    if varied:
        weather.apply(canvas, horizon, haze)
    return _finish(canvas)


def _sky(canvas, horizon, zenith, haze):
    """Fills the canvas with sky, palest at the horizon."""
    level = (canvas.y / horizon) ** 1.2 + 0.02 * canvas.patches
    canvas.paint(_EVERYTHING, True, SKY, canvas.new_instance(), mix(zenith, haze, level))


def _line(rng, at, step, octaves=1):
    """A random polyline in about [-1, 1] over the positions `at`, knots `step` apart."""
    total = np.zeros_like(at)
    for octave in range(octaves):
        knots = np.arange(-1.0, at.max() / step * 2**octave + 2.0)
        values = rng.uniform(-1.0, 1.0, knots.size)
        total += (0.5**octave * np.interp(at / step * 2**octave, knots, values)).astype("float32")
    return total


def _curve(rng, at):
    """A smooth random curve in about [-1, 1] over the positions `at`."""
    total = np.zeros_like(at)
    for wave in range(3):
        frequency = rng.uniform(1.5, 3.5) * (1.0 + 0.9 * wave)
        total += np.sin(at * frequency + rng.uniform(0.0, 6.28)) / (1.6 + 1.2 * wave)
    return total


def _mountains(canvas, rng, horizon, haze):
    """Draws peaks with a lit and a shaded side, snow at the top and haze at the foot."""
    count = int(rng.integers(1, 5))
    peaks = [(rng.uniform(0.4, 0.85), rng.uniform(0.0, 1.0)) for _ in range(count)]
    for place, (tall, where) in enumerate(sorted(peaks, reverse=True)):
        x, height = where * canvas.aspect, tall * min(horizon, 0.55)
        width = height * rng.uniform(0.9, 1.5)
        box = canvas.box(x - 1.2 * width, x + 1.2 * width, horizon - 1.15 * height, horizon)
        xs, ys = canvas.coordinates(box)
        away = np.abs(xs - x) / width
        rough = _line(rng, xs, 0.07, octaves=2)
        top = horizon - height * (1.0 - away) + 0.07 * height * rough * np.clip(3 * away, 0.2, 1)
        mask = ys > top
        down = (ys - (horizon - height)) / height
        ridge = x + 0.3 * height * _line(rng, ys, 0.07, octaves=2) * np.clip(down, 0.0, 1.0)
        lit = np.clip((xs - ridge) / (2.0 * canvas.pixel), -1.0, 1.0) * canvas.side(x)
        noise = 0.5 * canvas.leaves[box] + 0.5 * canvas.blades[box]
        rock = mix(rgb(0.33, 0.36, 0.46), rgb(0.66, 0.60, 0.56), 0.5 + 0.42 * lit + 0.22 * noise)
        snow = mix(rgb(0.66, 0.74, 0.88), rgb(1.0, 1.0, 1.0), 0.55 + 0.5 * lit + 0.1 * noise)
        above = horizon - ys - 0.24 + 0.05 * rough + 0.025 * noise
        colour = mix(rock, snow, above / (1.5 * canvas.pixel) + 0.5)
        colour = mix(colour, haze, 0.06 + 0.5 * np.clip(down, 0, 1) ** 2 - 0.05 * place)
        canvas.paint(box, mask, MOUNTAIN, canvas.new_instance(), colour)


def _hills(canvas, rng, horizon, haze):
    """Draws rolling hills, bluer in the distance, with slopes towards the light brighter."""
    count = int(rng.integers(1, 4))
    for near in range(count):
        lift = 0.09 * (count - 1 - near) + rng.uniform(0.02, 0.05)
        top = horizon - lift - rng.uniform(0.02, 0.045) * _curve(rng, canvas.x)
        box = canvas.box(0.0, canvas.aspect, float(top.min()), horizon + 0.02)
        xs, ys = canvas.coordinates(box)
        slope = np.gradient(top[0], canvas.pixel / 2)[None]
        towards = np.clip((canvas.light_x - xs) * 4.0, -1.0, 1.0)
        depth = (ys - top) / 0.12
        noise = 0.6 * canvas.leaves[box] + 0.4 * canvas.grain[box]
        light = 0.62 - 0.9 * slope * towards - 0.35 * depth
        woods = np.clip(4.0 * (noise + canvas.patches[box]) - 0.6, 0.0, 1.0)
        level = light + 0.14 * noise - 0.35 * woods
        colour = mix(rgb(0.17, 0.36, 0.17), rgb(0.56, 0.70, 0.33), level)
        colour = mix(colour, haze * rgb(0.75, 0.88, 1.0), 0.22 * (count - 1 - near) + 0.1)
        canvas.paint(box, ys > top, HILL, canvas.new_instance(), colour)


def _ground(canvas, horizon):
    """Draws grass below the horizon: pale and fine far away, deep green with blades nearby."""
    box = canvas.box(0.0, canvas.aspect, horizon, 1.0)
    ys = canvas.coordinates(box)[1]
    near = (ys - horizon) / (1.0 - horizon)
    texture = mix(0.5 * canvas.ripples[box], canvas.blades[box], near * 1.4)
    level = 0.95 - 0.75 * near + (0.1 + 0.2 * near) * texture + 0.16 * canvas.patches[box]
    colour = mix(rgb(0.16, 0.38, 0.10), rgb(0.62, 0.76, 0.36), level)
    flowers = (canvas.grain[box] > 0.78) & (canvas.patches[box] > 0.1) & (near > 0.25)
    colour = np.where(flowers, rgb(0.97, 0.90, 0.45), colour)
    canvas.paint(box, ys > horizon, GRASS, canvas.new_instance(), colour)


def _water(canvas, rng, horizon, haze, lake):
    """Draws a lake along the horizon or a pond in the grass, which mirrors what is above it."""
    room = 1.0 - horizon
    if lake:
        top = horizon + room * rng.uniform(0.0, 0.08)
        shore = top + room * (rng.uniform(0.2, 0.6) + 0.12 * _curve(rng, canvas.x))
        shore += room * rng.uniform(-0.5, 0.5) * (canvas.x / canvas.aspect - 0.5)
        box = canvas.box(0.0, canvas.aspect, top, 1.0)
        xs, ys = canvas.coordinates(box)
        inside = np.minimum(ys - top, shore - ys)
    else:
        tall, wide = room * rng.uniform(0.12, 0.26), rng.uniform(0.2, 0.5)
        x, y = rng.uniform(0.1, 0.9) * canvas.aspect, horizon + room * rng.uniform(0.32, 0.75)
        top = y - tall
        box = canvas.box(x - 1.5 * wide, x + 1.5 * wide, top, y + tall)
        xs, ys = canvas.coordinates(box)
        bulge = wide * (1.0 + 0.25 * _curve(rng, 3.0 * ys))
        inside = tall * (1.0 - np.sqrt(((xs - x) / bulge) ** 2 + ((ys - y) / tall) ** 2))
    if inside.size == 0:
        return
    rows = np.arange(box[0].start, box[0].stop)
    mirrored = canvas.image[:, np.maximum(2 * box[0].start - rows - 1, 0), box[1]]
    near = (ys - horizon) / room
    colour = mix(haze * rgb(0.80, 0.90, 0.97), rgb(0.13, 0.36, 0.58), 0.25 + 0.9 * near)
    colour = mix(colour, mirrored, 0.42 - 0.3 * near)
    colour = colour + canvas.ripples[box] * (0.05 + 0.07 * near)
    glint = np.exp(-(((xs - canvas.light_x) / 0.09) ** 2)) * (canvas.ripples[box] > 0.1)
    colour = mix(colour, rgb(1.0, 0.97, 0.84), 0.5 * glint)
    foam = np.clip(1.0 - inside / (1.6 * canvas.pixel), 0.0, 1.0)
    colour = mix(colour, rgb(0.88, 0.93, 0.92), 0.5 * foam)
    canvas.paint(box, inside > 0.0, WATER, canvas.new_instance(), colour)


def _path(canvas, rng, horizon, end_x, end_y, end_width):
    """Draws a winding path from the lower edge to (end_x, end_y), only over grass."""
    box = canvas.box(0.0, canvas.aspect, end_y, 1.0)
    xs, ys = canvas.coordinates(box)
    t = np.clip((ys - end_y) / (1.0 - end_y), 0.0, 1.0)
    start_x = rng.uniform(0.1, 0.9) * canvas.aspect
    bend = rng.uniform(-0.14, 0.14) * np.sin(t * rng.uniform(3.2, 6.5))
    middle = end_x + (start_x - end_x) * t**1.4 + bend
    half = end_width + rng.uniform(0.07, 0.13) * t**1.3
    across = np.abs(xs - middle) / half + 0.1 * canvas.leaves[box]
    grass = canvas.labels[box] == GRASS
    columns = np.clip(middle * canvas.shape[0], 0, canvas.shape[1] - 1).astype(int)
    water = np.take_along_axis(canvas.labels[box], columns, 1) == WATER
    nearer = ~np.logical_or.accumulate(water[::-1])[::-1]  # the path ends at the near shore
    mask = (across < 1.0) & (ys > end_y) & grass & nearer
    near = (ys - horizon) / (1.0 - horizon)
    level = 0.92 - 0.3 * near - 0.5 * np.clip(across - 0.6, 0.0, 1.0) + 0.24 * canvas.grain[box]
    colour = mix(rgb(0.45, 0.33, 0.21), rgb(0.90, 0.80, 0.62), level + 0.08 * canvas.ripples[box])
    canvas.paint(box, mask, PATH, canvas.new_instance(), colour)


def _on_grass(canvas, x, y, half):
    """Whether the visible ground from x - half to x + half at y is grass."""
    height, width = canvas.shape
    row = min(int(y * height), height - 1)
    columns = [min(max(int(at * height), 0), width - 1) for at in (x - half, x, x + half)]
    return bool((canvas.labels[row, columns] == GRASS).all())


def _objects(canvas, rng, horizon):
    """Draws the path, then houses and trees from far to near, larger when nearer."""
    room = 1.0 - horizon
    houses, trees = [], []
    for _ in range(rng.choice([0, 1, 1, 2, 2, 3, 4])):
        near = rng.uniform(0.06, 0.62)
        x, y = rng.uniform(0.08, 0.92) * canvas.aspect, horizon + room * near
        size = (0.055 + 0.2 * near) * rng.uniform(0.85, 1.2)
        front, length = float(rng.choice([0.0, 0.9, 1.1])), rng.uniform(1.0, 1.9)
        flip, half = bool(rng.integers(2)), 0.5 * (front + length) * size
        apart = all(abs(x - other[1]) > half + other[-1] for other in houses)
        if apart and _on_grass(canvas, x, y, half):
            houses.append((y, x, size, front, length, flip, half))
    if rng.uniform() < 0.6:
        if houses:
            y, x, size, front, length, flip, half = max(houses)
            door = 0.5 * front - 0.5 * (front + length) if front else 0.0
            slots = max(int(length / 0.55), 1)
            door = door if front else (slots // 2 + 0.5) * length / slots - 0.5 * length
            _path(canvas, rng, horizon, x + size * (-door if flip else door), y, 0.15 * size)
        else:
            _path(canvas, rng, horizon, rng.uniform(0.2, 0.8) * canvas.aspect, horizon, 0.008)
    forest = rng.uniform()
    for _ in range(rng.integers(0, 15)):
        near = rng.uniform(0.02, 0.95) ** 1.3
        x, y = rng.uniform(0.0, 1.0) * canvas.aspect, horizon + room * near
        height = (0.1 + 0.42 * near) * rng.uniform(0.75, 1.25)
        conic = bool(rng.uniform() < forest)
        hides = any(y > other[0] and abs(x - other[1]) < 0.7 * other[-1] for other in houses)
        if not hides and _on_grass(canvas, x, y, 0.03 * height):
            trees.append((y, x, height, conic))
    standing = [(house[0], draw_house, house[1:-1]) for house in houses]
    standing += [(tree[0], draw_tree, tree[1:]) for tree in trees]
    for y, draw, (x, *rest) in sorted(standing, key=lambda item: item[0]):
        draw(canvas, rng, x, y, *rest)


def _finish(canvas):
    """Averages 2x2 pixels, picks labels, numbers the instances."""
    image = canvas.image
    image = image[:, ::2, ::2] + image[:, 1::2, ::2] + image[:, ::2, 1::2] + image[:, 1::2, 1::2]
    image = np.clip(image * (255.0 / 4.0) + 0.5, 0.0, 255.0).astype("uint8")
    instances = canvas.instances[1::2, 1::2]
    seen = np.bincount(instances.ravel(), minlength=canvas.count + 1) > 0
    instances = np.cumsum(seen).astype("uint8")[instances]
    return canvas.labels[1::2, 1::2], instances, image.transpose(1, 2, 0)
