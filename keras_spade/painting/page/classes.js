// The list of classes: which one is drawn, and which one the eraser restores.

export class Classes {
  constructor(model) {
    this.classes = model.classes;
    // In canvas format, bytes r, g, b, 255.
    this.pixels = Uint32Array.from(model.classes, ({ color }) => {
      const bytes = [1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16));
      return new Uint32Array(Uint8Array.of(...bytes, 255).buffer)[0];
    });
    this.list = document.getElementById("classes");
    this.select = document.getElementById("background");
    this.under = document.getElementById("under");
    model.classes.forEach((entry, id) => {
      const key = id < 10 ? document.createElement("kbd") : "";
      if (key) key.textContent = (id + 1) % 10;
      const input = document.createElement("input");
      Object.assign(input, { type: "radio", name: "class", value: id });
      const label = document.createElement("label");
      label.append(input, ...named(entry), key);
      this.list.append(label);
      this.select.append(new Option(entry.name, id));
    });
    this.select.value = model.background;
    this.choose(model.background === 0 && model.classes.length > 1 ? 1 : 0);
    const search = document.getElementById("search");
    search.hidden = model.classes.length < 20;
    search.addEventListener("input", () => {
      const text = search.value.toLowerCase();
      [...this.list.children].forEach((label, id) => {
        label.hidden = !this.classes[id].name.toLowerCase().includes(text);
      });
    });
  }

  get chosen() {
    return Number(this.list.querySelector(":checked").value);
  }

  get background() {
    return Number(this.select.value);
  }

  choose(id) {
    const label = this.list.children[id];
    label.firstElementChild.checked = true;
    label.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  // Shows the class under the pointer.
  hover(id) {
    this.under.replaceChildren(...(id === null ? [] : named(this.classes[id])));
  }
}

function named({ name, color }) {
  const swatch = document.createElement("i");
  swatch.style.background = color;
  const text = document.createElement("span");
  text.textContent = name;
  return [swatch, text];
}
