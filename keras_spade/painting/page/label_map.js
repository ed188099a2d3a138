// A label map of the model's size. Tools write ids into whole pixels, without antialiasing, so
// every pixel is always a class. Positions are in pixels, with (0, 0) in the upper left corner.

export class LabelMap {
  constructor(width, height, id = 0) {
    this.width = width;
    this.height = height;
    this.ids = new Uint16Array(width * height).fill(id);
  }

  at(x, y) {
    return this.ids[Math.floor(y) * this.width + Math.floor(x)];
  }

  contains(x, y) {
    return x >= 0 && y >= 0 && x < this.width && y < this.height;
  }

  // A thick line from a to b: all pixels whose centre is close enough.
  stroke(a, b, diameter, id) {
    const radius = Math.max(diameter / 2, Math.SQRT1_2); // Smaller radii miss every centre.
    const [dx, dy] = [b.x - a.x, b.y - a.y];
    const length2 = dx * dx + dy * dy || 1;
    this.#within(a, b, radius, (x, y) => {
      const [px, py] = [x + 0.5 - a.x, y + 0.5 - a.y];
      const t = Math.min(1, Math.max(0, (px * dx + py * dy) / length2));
      if ((px - t * dx) ** 2 + (py - t * dy) ** 2 <= radius * radius) {
        this.ids[y * this.width + x] = id;
      }
    });
  }

  // All pixels between two corners, both included.
  rectangle(a, b, id) {
    this.#within(a, b, 0, (x, y) => (this.ids[y * this.width + x] = id));
  }

  // The inside of a polygon: pixels whose centre is inside, by the even-odd rule.
  polygon(points, id) {
    for (let y = 0; y < this.height; y++) {
      const crossings = [];
      points.forEach((a, i) => {
        const b = points[(i + 1) % points.length];
        if (a.y <= y + 0.5 !== b.y <= y + 0.5) {
          crossings.push(a.x + ((y + 0.5 - a.y) * (b.x - a.x)) / (b.y - a.y));
        }
      });
      crossings.sort((a, b) => a - b);
      for (let i = 0; i + 1 < crossings.length; i += 2) {
        const begin = Math.max(0, Math.ceil(crossings[i] - 0.5));
        const end = Math.min(this.width, Math.ceil(crossings[i + 1] - 0.5));
        if (begin < end) this.ids.fill(id, y * this.width + begin, y * this.width + end);
      }
    }
  }

  // The region of one class around a pixel; diagonal neighbours do not belong to it.
  fill(x, y, id) {
    const [ids, width] = [this.ids, this.width];
    const start = Math.floor(y) * width + Math.floor(x);
    const old = ids[start];
    if (old === id) return;
    const waiting = [start];
    ids[start] = id;
    const visit = (place) => {
      if (ids[place] === old) {
        ids[place] = id;
        waiting.push(place);
      }
    };
    while (waiting.length) {
      const place = waiting.pop();
      const column = place % width;
      if (column > 0) visit(place - 1);
      if (column < width - 1) visit(place + 1);
      if (place >= width) visit(place - width);
      if (place + width < ids.length) visit(place + width);
    }
  }

  #within(a, b, margin, visit) {
    const low = (p, q) => Math.max(0, Math.floor(Math.min(p, q) - margin));
    const high = (p, q, size) => Math.min(size - 1, Math.floor(Math.max(p, q) + margin));
    for (let y = low(a.y, b.y); y <= high(a.y, b.y, this.height); y++) {
      for (let x = low(a.x, b.x); x <= high(a.x, b.x, this.width); x++) visit(x, y);
    }
  }
}

// Nearest neighbours by the rule of the package, floor(i * in / out) in 32 bits.
export function resized(ids, width, height, newWidth, newHeight) {
  const index = (sizeIn, sizeOut) =>
    Uint32Array.from({ length: sizeOut }, (_, i) =>
      Math.min(sizeIn - 1, Math.floor(Math.fround(i * Math.fround(sizeIn / sizeOut)))),
    );
  const [rows, columns] = [index(height, newHeight), index(width, newWidth)];
  const result = new Uint16Array(newWidth * newHeight);
  rows.forEach((row, y) =>
    columns.forEach((column, x) => (result[y * newWidth + x] = ids[row * width + column])),
  );
  return result;
}

// Earlier maps: undo and redo.
export class History {
  #past = [];
  #future = [];

  constructor(limit) {
    this.limit = limit;
  }

  get canUndo() {
    return this.#past.length > 0;
  }

  get canRedo() {
    return this.#future.length > 0;
  }

  // Must be called with the ids before a change.
  add(before) {
    this.#past.push(before);
    if (this.#past.length > this.limit) this.#past.shift();
    this.#future = [];
  }

  undo(now) {
    this.#future.push(now);
    return this.#past.pop();
  }

  redo(now) {
    this.#past.push(now);
    return this.#future.pop();
  }
}
