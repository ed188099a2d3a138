"""The canvas of drawn scenes, and the objects on it: clouds, the sun, trees, houses."""

from functools import lru_cache

import numpy as np

SKY, CLOUD, SUN, MOUNTAIN, HILL, GRASS, WATER, PATH = range(8)
TREE, TRUNK, WALL, ROOF, WINDOW, DOOR = range(8, 14)


def rgb(*values: float) -> np.ndarray:
    """Three values as a float32 colour of shape (3, 1, 1)."""
    return np.asarray(values, "float32").reshape(3, 1, 1)


def mix(first: np.ndarray, second: np.ndarray, amount: float | np.ndarray) -> np.ndarray:
    """Interpolates from `first` (amount 0) to `second` (amount 1); clips amounts to [0, 1]."""
    return first + (second - first) * np.clip(amount, 0.0, 1.0)


@lru_cache(maxsize=64)
def _interpolation(size, cell):
    """The float32 matrix (size, knots) for smooth interpolation between knots `cell` apart."""
    at = (np.arange(size) + 0.5) / cell
    left = at.astype(int)
    t = at - left
    t = t * t * (3.0 - 2.0 * t)
    matrix = np.zeros((size, left[-1] + 2), "float32")
    rows = np.arange(size)
    matrix[rows, left] = 1.0 - t
    matrix[rows, left + 1] = t
    return matrix


def smooth_noise(
    rng: np.random.Generator, shape: tuple[int, int], cell_height: float, cell_width: float
) -> np.ndarray:
    """Float32 value noise in [-1, 1] with shape (height, width); cell sizes are in pixels."""
    rows = _interpolation(shape[0], cell_height)
    columns = _interpolation(shape[1], cell_width)
    knots = rng.random((rows.shape[1], columns.shape[1]), dtype="float32") * 2.0 - 1.0
    return rows @ knots @ columns.T


class Canvas:
    """Image, labels and instances at twice the size of a scene, and its light.

    The unit of length is the image height: x is in [0, width / height], y in [0, 1], downwards.

    Args:
        image_size: (height, width) of the finished scene, in pixels.
        rng: the random generator for the textures.
        light_x: the x position of the light.
    """

    def __init__(self, image_size: tuple[int, int], rng: np.random.Generator, light_x: float):
        height, width = 2 * image_size[0], 2 * image_size[1]
        self.shape = (height, width)
        self.pixel = 2.0 / height
        self.aspect = width / height
        self.light_x = light_x
        self.x = ((np.arange(width, dtype="float32") + 0.5) / height)[None, :]
        self.y = ((np.arange(height, dtype="float32") + 0.5) / height)[:, None]
        self.image = np.zeros((3, height, width), "float32")
        self.labels = np.zeros(self.shape, "uint8")
        self.instances = np.zeros(self.shape, "int32")
        self.count = 0
        self.grain = smooth_noise(rng, self.shape, 3, 3)
        self.leaves = smooth_noise(rng, self.shape, 6, 6)
        self.blades = smooth_noise(rng, self.shape, 8, 3)
        self.ripples = smooth_noise(rng, self.shape, 4, 22)
        self.patches = smooth_noise(rng, self.shape, height // 8, height // 5)

    def new_instance(self) -> int:
        """The next unused instance id; the first is 1."""
        self.count += 1
        return self.count

    def side(self, x: float) -> float:
        """The direction of the light, seen from `x`: from -1 (left) to 1 (right)."""
        return min(max((self.light_x - x) * 4.0, -1.0), 1.0)

    def box(self, left: float, right: float, top: float, bottom: float) -> tuple[slice, slice]:
        """The (rows, columns) slices that contain a rectangle, clipped at the border."""
        height, width = self.shape
        edges = [int(np.floor(edge * height)) for edge in (left, right, top, bottom)]
        left, right = (min(max(edge, 0), width) for edge in (edges[0], edges[1] + 1))
        top, bottom = (min(max(edge, 0), height) for edge in (edges[2], edges[3] + 1))
        return slice(top, bottom), slice(left, right)

    def coordinates(self, box: tuple[slice, slice]) -> tuple[np.ndarray, np.ndarray]:
        """The x row and the y column of a box."""
        return self.x[:, box[1]], self.y[box[0]]

    def paint(
        self,
        box: tuple[slice, slice],
        mask: np.ndarray,
        label: int,
        instance: int,
        colour: np.ndarray,
    ) -> None:
        """Paints a colour (3, h, w), a label and an instance where the mask of the box is true."""
        np.copyto(self.image[:, box[0], box[1]], colour, where=mask)
        np.copyto(self.labels[box], label, where=mask)
        np.copyto(self.instances[box], instance, where=mask)

    def shadow(self, x: float, y: float, radius: float) -> None:
        """Darkens the ground under an object at (x, y), away from the light."""
        centre = x - 0.55 * radius * self.side(x)
        box = self.box(centre - 1.6 * radius, centre + 1.6 * radius, y - radius, y + radius)
        xs, ys = self.coordinates(box)
        far = ((xs - centre) / (1.5 * radius)) ** 2 + ((ys - y) / (0.42 * radius)) ** 2
        ground = (self.labels[box] == GRASS) | (self.labels[box] == PATH)
        self.image[:, box[0], box[1]] *= 1.0 - 0.42 * np.clip(1.25 - far, 0.0, 1.0) * ground


def draw_sun(canvas: Canvas, x: float, y: float, radius: float, colours: tuple) -> None:
    """Draws the disc of the sun, and its glow over the sky so far. Colours: `Weather.disc`."""
    middle, rim, shine, strength = colours
    distance = np.sqrt((canvas.x - x) ** 2 + (canvas.y - y) ** 2)
    glow = strength * np.exp(-np.maximum(distance - radius, 0.0) / (1.6 * radius))
    canvas.image += (shine - canvas.image) * glow
    disc = distance < radius
    everything = (slice(None), slice(None))
    colour = mix(middle, rim, (distance / radius) ** 2)
    canvas.paint(everything, disc, SUN, canvas.new_instance(), colour)


def draw_cloud(canvas: Canvas, rng: np.random.Generator, x: float, y: float, width: float) -> None:
    """Draws a heap of puffs on a flat base, white above, blue-grey below."""
    height = width * rng.uniform(0.26, 0.4)
    box = canvas.box(x - 0.7 * width, x + 0.7 * width, y - 1.3 * height, y + 0.3 * height)
    xs, ys = canvas.coordinates(box)
    body = np.full((ys.shape[0], xs.shape[1]), -1.0, "float32")
    shade = np.zeros_like(body)
    puffs = int(rng.integers(5, 8))
    for puff in range(puffs):
        along = (puff + rng.uniform(0.3, 0.7)) / puffs * 2.0 - 1.0
        radius = height * (0.64 - 0.3 * abs(along)) * rng.uniform(0.85, 1.15)
        px, py = x + 0.42 * width * along, y - 0.55 * radius - 0.1 * height
        field = 1.0 - ((xs - px) ** 2 + (ys - py) ** 2) / radius**2
        lit = 0.5 + 0.5 * (py - ys) / radius + 0.18 * canvas.side(px) * (xs - px) / radius
        np.copyto(shade, lit, where=field > body)
        np.maximum(body, field, out=body)
    base = 1.0 - ((xs - x) / (0.5 * width)) ** 2 - ((ys - y) / (0.4 * height)) ** 2
    np.maximum(body, base, out=body)
    body += 0.12 * canvas.leaves[box] - 5.0 * np.maximum(ys - y + 0.16 * height, 0.0) / height
    level = 0.35 * shade + 0.75 * (y - ys) / height + 0.07 * canvas.leaves[box] + 0.12
    colour = mix(rgb(0.69, 0.76, 0.86), rgb(1.0, 1.0, 0.99), level)
    colour = mix(canvas.image[:, box[0], box[1]], colour, 0.5 + 3.5 * body)
    canvas.paint(box, body > 0.0, CLOUD, canvas.new_instance(), colour)


def draw_tree(
    canvas: Canvas, rng: np.random.Generator, x: float, y: float, height: float, conic: bool
) -> None:
    """Draws a trunk and a round or conical crown, with one instance id; (x, y) is the foot."""
    instance = canvas.new_instance()
    side = canvas.side(x)
    bare = height * (rng.uniform(0.12, 0.2) if conic else rng.uniform(0.26, 0.36))
    thick = max(height * 0.05, 0.55 * canvas.pixel)
    canvas.shadow(x, y, 0.3 * height)
    box = canvas.box(x - 2 * thick, x + 2 * thick, y - 1.5 * bare, y)
    xs, ys = canvas.coordinates(box)
    across = (xs - x) / (thick * (1.0 + 0.35 * np.clip((ys - y) / bare + 0.4, 0.0, 1.0)))
    level = 0.5 + 0.4 * side * across + 0.3 * canvas.blades[box]
    colour = mix(rgb(0.23, 0.14, 0.08), rgb(0.55, 0.37, 0.22), level)
    canvas.paint(box, (np.abs(across) < 1.0) & (ys < y), TRUNK, instance, colour)

    crown = height - bare
    half = crown * (rng.uniform(0.3, 0.38) if conic else rng.uniform(0.42, 0.52))
    hue = rng.uniform(-0.03, 0.03)
    box = canvas.box(x - 1.25 * half, x + 1.25 * half, y - height, y - 0.8 * bare)
    xs, ys = canvas.coordinates(box)
    leaves = canvas.leaves[box]
    if conic:
        down = (ys - (y - height)) / crown
        tier = np.mod(down * 4.0, 1.0)
        reach = half * (0.1 + 0.66 * down + 0.3 * tier * (0.3 + 0.7 * down))
        across = (xs - x) / reach
        mask = (np.abs(across) + 0.16 * leaves < 1.0) & (down > 0.0) & (down < 1.0)
        level = 0.38 + 0.34 * side * across + 0.42 * (tier - 0.5) + 0.22 * leaves
        dark, light = rgb(0.05, 0.20, 0.15), rgb(0.26 + hue, 0.52, 0.30)
    else:
        middle = y - bare - 0.5 * crown
        body = np.full((ys.shape[0], xs.shape[1]), -1.0, "float32")
        level = np.zeros_like(body)
        turn = rng.uniform(0.0, 6.28)
        for puff in range(6):
            angle, away = turn + 1.2566 * puff, 0.46 if puff < 5 else 0.0
            radius = half * (0.72 if puff == 5 else rng.uniform(0.46, 0.6))
            px = x + half * away * float(np.cos(angle)) * 1.1
            py = middle + 0.5 * crown * away * float(np.sin(angle)) * 1.1
            field = 1.0 - ((xs - px) ** 2 + (ys - py) ** 2) / radius**2
            lit = (0.9 * (py - ys) + 0.6 * side * (xs - px)) / radius
            np.copyto(level, lit, where=field > body)
            np.maximum(body, field, out=body)
        mask = body + 0.25 * leaves > 0.0
        whole = 0.5 * (middle - ys) / half + 0.3 * side * (xs - x) / half
        level = 0.42 + 0.26 * level + whole + 0.24 * leaves + 0.1 * canvas.grain[box]
        dark, light = rgb(0.09, 0.25, 0.07), rgb(0.50 + hue, 0.70, 0.22)
    canvas.paint(box, mask, TREE, instance, mix(dark, light, level))


def draw_house(
    canvas: Canvas,
    rng: np.random.Generator,
    x: float,
    y: float,
    size: float,
    front: float,
    length: float,
    flip: bool,
) -> None:
    """Draws a gabled house in parallel perspective, with one id for all its parts.

    Args:
        canvas: the canvas to draw on.
        rng: the random generator for the colours.
        x: the middle of the house.
        y: its foot.
        size: the height of its walls.
        front: width of the gabled face, in wall heights; 0 shows only the long side.
        length: width of the long side, in wall heights.
        flip: whether the gabled face is on the right.
    """
    instance = canvas.new_instance()
    total = front + length
    gable = 0.62 * front if front else 0.62
    canvas.shadow(x, y, 0.62 * total * size)
    reach = (0.5 * total + 0.2) * size
    box = canvas.box(x - reach, x + reach, y - (1.5 + gable) * size, y)
    xs, ys = canvas.coordinates(box)
    u = (xs - x) / size * (-1.0 if flip else 1.0) + 0.5 * total
    v = (y - ys) / size
    grain = canvas.grain[box]
    side = canvas.side(x) * (-1.0 if flip else 1.0)
    bright = (0.94 - 0.14 * side, 0.94 + 0.14 * side) if front else (1.0, 1.0)

    chimney = (np.abs(u - (front + 0.62 * length)) < 0.1) & (v > 1.0) & (v < 1.15 + gable)
    canvas.paint(box, chimney, WALL, instance, rgb(0.60, 0.42, 0.36) + 0.05 * grain)
    plaster = rgb(0.93, 0.86, 0.73) + rgb(*rng.uniform(-0.04, 0.04, 3))
    slope = gable * (1.0 - np.abs(u - 0.5 * front) / (0.5 * front)) if front else u * 0.0 - 1.0
    is_front = (u > 0.0) & (u < front)
    wall = (v > 0.0) & (u > 0.0) & (u < total) & (v < np.where(is_front, 1.0 + slope, 1.0))
    eaves = 0.2 * np.clip((v - 0.8) * 6.0, 0.0, 1.0) * ~is_front
    light = np.where(is_front, bright[0], bright[1]) - eaves
    light = light - 0.12 * np.clip(0.25 - v, 0.0, 1.0) + 0.04 * grain
    canvas.paint(box, wall, WALL, instance, plaster * light)

    rise = (v - 0.96) / gable
    lean = 0.5 * front if front else 0.4
    left = front - lean * rise if front else -0.12 + lean * rise
    right = (total + 0.1 - lean * rise) if front else (total + 0.12 - lean * rise)
    slab = (rise > 0.0) & (rise < 1.04) & (u > left) & (u < right)
    edge = (np.abs(v - 0.98 - slope) < 0.07) & (u > -0.06) & (u < front + 0.03) & (front > 0.0)
    tiles = 0.10 * np.sin(v * (6.2832 / 0.2)) + 0.10 * grain
    level = np.where(edge & ~slab, 0.25, 0.35 + 0.4 * rise + tiles + 0.15 * (bright[1] - 1.0))
    warm = rgb(*rng.uniform(-0.05, 0.05, 3))
    colour = mix(rgb(0.42, 0.15, 0.12), rgb(0.80, 0.38, 0.27), level) + warm
    canvas.paint(box, slab | edge, ROOF, instance, colour)

    def opening(left, bottom, width, height, label):
        across, up = (u - left) / width, (v - bottom) / height
        mask = (across > 0.0) & (across < 1.0) & (up > 0.0) & (up < 1.0)
        if label == DOOR:
            colour = mix(rgb(0.24, 0.13, 0.07), rgb(0.45, 0.26, 0.13), up + 0.3 * grain)
        else:
            frame = (np.abs(across - 0.5) > 0.4) | (np.abs(up - 0.5) > 0.4)
            frame |= (np.abs(across - 0.5) < 0.06) | (np.abs(up - 0.5) < 0.05)
            glass = mix(rgb(0.16, 0.22, 0.32), rgb(0.45, 0.60, 0.75), up)
            colour = np.where(frame, rgb(0.97, 0.96, 0.92), glass)
        canvas.paint(box, mask & (v > 0.0), label, instance, colour)

    slots = max(int(length / 0.55), 1)
    door = -1
    if front:
        opening(0.5 * front - 0.15, 0.0, 0.3, 0.62, DOOR)
        opening(0.5 * front - 0.17, 0.86, 0.34, 0.34, WINDOW)
    else:
        door = slots // 2
    for slot in range(slots):
        centre = front + (slot + 0.5) * length / slots
        if slot == door:
            opening(centre - 0.15, 0.0, 0.3, 0.64, DOOR)
        else:
            opening(centre - 0.16, 0.34, 0.32, 0.36, WINDOW)
