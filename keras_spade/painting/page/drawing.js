// Tools that turn mouse, pen and touch events into changed ids.

const SVG = "http://www.w3.org/2000/svg";

export class Drawing {
  #active = null; // The shape being drawn: { pointer, before, id, last or start }
  #corners = []; // Corners of the polygon.

  // settings: a function that returns { tool, size, id }; changed: called while ids change;
  // finished: called with the previous ids; picked, hovered: called with the id at the pointer.
  constructor(canvas, overlay, map, { settings, changed, finished, picked, hovered }) {
    Object.assign(this, { canvas, overlay, map, settings, changed, finished, picked, hovered });
    overlay.setAttribute("viewBox", `0 0 ${map.width} ${map.height}`);
    canvas.addEventListener("pointerdown", (event) => this.#down(event));
    canvas.addEventListener("pointermove", (event) => this.#move(event));
    canvas.addEventListener("pointerup", (event) => this.#up(event));
    canvas.addEventListener("pointercancel", () => this.cancel());
    canvas.addEventListener("pointerleave", () => this.#leave());
    canvas.addEventListener("dblclick", () => this.closePolygon());
  }

  get isPolygon() {
    return this.#corners.length > 0;
  }

  get isBusy() {
    return this.isPolygon || this.#active !== null;
  }

  // Discards the shape being drawn; the map is restored.
  cancel() {
    if (this.#active) this.map.ids.set(this.#active.before);
    this.#active = null;
    this.#corners = [];
    this.#show();
    this.changed();
  }

  removeCorner() {
    this.#corners.pop();
    this.#show();
  }

  closePolygon() {
    const corners = this.#corners;
    this.#corners = [];
    this.#show();
    if (corners.length > 2) this.#change((id) => this.map.polygon(corners, id));
  }

  #change(draw) {
    const before = this.map.ids.slice();
    draw(this.settings().id);
    this.changed();
    this.finished(before);
  }

  #position(event) {
    const box = this.canvas.getBoundingClientRect();
    return {
      x: ((event.clientX - box.left) / box.width) * this.map.width,
      y: ((event.clientY - box.top) / box.height) * this.map.height,
    };
  }

  #down(event) {
    const p = this.#position(event);
    if (this.#active || event.button !== 0 || !this.map.contains(p.x, p.y)) return;
    event.preventDefault();
    const { tool, id } = this.settings();
    if (event.altKey) this.picked(this.map.at(p.x, p.y));
    else if (tool === "fill") this.#change((id) => this.map.fill(p.x, p.y, id));
    else if (tool === "polygon") this.#corner(p);
    else {
      this.canvas.setPointerCapture(event.pointerId);
      const before = this.map.ids.slice();
      this.#active = { pointer: event.pointerId, tool, before, id, start: p, last: p };
      this.#draw(p);
    }
  }

  #corner(p) {
    const first = this.#corners[0];
    const near = (12 / this.canvas.clientWidth) * this.map.width;
    if (this.#corners.length > 2 && Math.hypot(p.x - first.x, p.y - first.y) < near) {
      this.closePolygon();
    } else {
      this.#corners.push(p);
      this.#show(p);
    }
  }

  #move(event) {
    const p = this.#position(event);
    if (!this.#active) {
      this.hovered(this.map.contains(p.x, p.y) ? this.map.at(p.x, p.y) : null);
    } else if (event.pointerId === this.#active.pointer) {
      // Browsers report the points of a fast stroke together.
      const events = event.getCoalescedEvents?.() ?? [];
      for (const e of events.length ? events : [event]) this.#draw(this.#position(e));
    }
    this.#show(p);
  }

  #draw(p) {
    const { tool, id, start, last, before } = this.#active;
    if (tool === "rectangle") {
      this.map.ids.set(before);
      this.map.rectangle(start, p, id);
    } else this.map.stroke(last, p, this.settings().size, id);
    this.#active.last = p;
    this.changed();
  }

  #up(event) {
    if (event.pointerId !== this.#active?.pointer) return;
    const { before } = this.#active;
    this.#active = null;
    this.finished(before);
    this.#move(event);
  }

  #leave() {
    if (!this.#active) this.#show();
    this.hovered(null);
  }

  // Draws the brush's circle, or the polygon so far.
  #show(p = null) {
    const { tool, size } = this.settings();
    this.overlay.replaceChildren();
    const add = (name, attributes) => {
      for (const tone of ["dark", "light"]) {
        const shape = document.createElementNS(SVG, name);
        for (const [key, value] of Object.entries(attributes)) shape.setAttribute(key, value);
        shape.setAttribute("class", tone);
        this.overlay.append(shape);
      }
    };
    if (this.#corners.length) {
      const points = [...this.#corners, ...(p ? [p] : [])].map(({ x, y }) => `${x},${y}`);
      add("polyline", { points: points.join(" ") });
      const [{ x, y }] = this.#corners;
      add("circle", { cx: x, cy: y, r: this.map.width / 100 });
    } else if (p && ["brush", "eraser"].includes(tool)) {
      add("circle", { cx: p.x, cy: p.y, r: size / 2 });
    }
  }
}
