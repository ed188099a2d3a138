// Repaints after every change: one request at a time, and the latest change wins.

export class Repainter {
  #busy = false;
  #again = false;

  // paint: an async function that paints the current state.
  constructor(paint) {
    this.paint = paint;
  }

  async ask() {
    this.#again = true;
    if (this.#busy) return;
    this.#busy = true;
    document.body.dataset.state = "painting";
    while (this.#again) {
      this.#again = false;
      await this.paint();
    }
    this.#busy = false;
    document.body.dataset.state = "idle";
  }
}
