// The controls of the style: two seeds, a slider between them, and a photograph's style instead
// of the first seed.

import { MAX_BYTES } from "./png.js";
import { between } from "./styles.js";

const element = (id) => document.getElementById(id);

export class StyleControls {
  #photograph = null; // The latent of its style.

  constructor(model, seeds, styleOf, { changed, say }) {
    Object.assign(this, { seeds, styleOf, changed, say });
    element("style").hidden = false;
    for (const side of ["a", "b"]) {
      const input = element(`seed_${side}`);
      input.max = seeds.count - 1;
      input.addEventListener("input", () => input.checkValidity() && input.value && changed());
      input.addEventListener("change", () => {
        if (Number(input.value) === this.#seed(side) && input.value) return;
        input.value = this.#seed(side); // There is no such seed; show the one in use.
        changed();
      });
      element(`dice_${side}`).addEventListener("click", () => this.another(side));
    }
    element("between").addEventListener("input", changed);
    element("photographs").hidden = !model.photograph;
    element("photograph").addEventListener("click", () => element("photograph_file").click());
    element("no_photograph").addEventListener("click", () => this.#use(null));
    element("photograph_file").addEventListener("change", ({ target }) => {
      if (target.files.length) this.#read(target.files[0]);
      target.value = "";
    });
  }

  // The latent selected by the controls.
  latent() {
    const first = this.#photograph ?? this.seeds.latent(this.#seed("a"));
    return between(first, this.seeds.latent(this.#seed("b")), element("between").valueAsNumber);
  }

  another(side = element("between").valueAsNumber < 0.5 ? "a" : "b") {
    if (side === "a") this.#use(null);
    element(`seed_${side}`).value = Math.floor(Math.random() * this.seeds.count);
    this.changed();
  }

  #seed(side) {
    const seed = Math.floor(element(`seed_${side}`).valueAsNumber) || 0;
    return Math.min(this.seeds.count - 1, Math.max(0, seed));
  }

  async #read(file) {
    this.say("");
    try {
      if (file.size > MAX_BYTES) {
        throw new Error(`the photograph has ${file.size} bytes; at most ${MAX_BYTES}`);
      }
      const latent = await this.styleOf(file);
      element("between").value = 0;
      this.#use(latent, file);
    } catch (error) {
      this.say(`No style could be taken: ${error.message}.`);
    }
  }

  #use(latent, file = null) {
    this.#photograph = latent;
    const picture = element("photograph_shown");
    URL.revokeObjectURL(picture.src);
    if (file) picture.src = URL.createObjectURL(file);
    else picture.removeAttribute("src");
    picture.hidden = element("no_photograph").hidden = !latent;
    element("seed_a_label").hidden = Boolean(latent);
    this.changed();
  }
}
