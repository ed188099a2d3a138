// The page: a label map to draw on, and the picture painted from it.

import * as engine from "./engine.js";
import { Classes } from "./classes.js";
import { Drawing } from "./drawing.js";
import { History, LabelMap } from "./label_map.js";
import { encodePng } from "./png.js";
import { readLabelMap } from "./read_label_map.js";
import { Repainter } from "./repainter.js";
import { Seeds } from "./styles.js";
import { StyleControls } from "./style_controls.js";

const HISTORY_BYTES = 2 ** 26;
const element = (id) => document.getElementById(id);
const status = (text) => (element("status").textContent = text);

async function load(path) {
  const response = await fetch(path);
  if (!response.ok) throw new Error(`${path} cannot be loaded: ${response.status}`);
  return response;
}

function say(text) {
  element("message").hidden = !text;
  element("message").firstElementChild.textContent = text;
}

function download(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

function show(canvas, image) {
  if (canvas.width !== image.width) canvas.width = image.width;
  if (canvas.height !== image.height) canvas.height = image.height;
  canvas.getContext("2d").putImageData(image, 0, 0);
}

function imageOfIds(ids, { width, height }, colors) {
  const pixels = Uint32Array.from(ids, (id) => colors[id]);
  return new ImageData(new Uint8ClampedArray(pixels.buffer), width, height);
}

function imageOfPixels(pixels, { width, height, channels }) {
  const image = new ImageData(width, height);
  for (let from = 0, to = 0; from < pixels.length; from += channels, to += 4) {
    image.data[to] = pixels[from];
    image.data[to + 1] = pixels[channels === 3 ? from + 1 : from];
    image.data[to + 2] = pixels[channels === 3 ? from + 2 : from];
    image.data[to + 3] = 255;
  }
  return image;
}

async function main() {
  const model = await (await load("model.json")).json();
  document.title = `Paint: ${model.title}`;
  document.body.style.setProperty("--aspect", model.width / model.height);
  const ready = engine.start(model);
  const map = new LabelMap(model.width, model.height, model.background);
  const history = new History(
    Math.max(10, Math.min(200, Math.floor(HISTORY_BYTES / map.ids.byteLength))),
  );
  const classes = new Classes(model);
  const tool = () => document.querySelector("input[name=tool]:checked").value;
  const size = element("size");

  // === Painting ===

  const picture = element("picture");
  [picture.width, picture.height] = [model.width, model.height];
  const showMap = () => show(element("map"), imageOfIds(map.ids, model, classes.pixels));
  showMap();
  async function repaint() {
    const begin = performance.now();
    try {
      const pixels = await engine.paint(map.ids, style?.latent());
      show(picture, imageOfPixels(pixels, model));
      element("took").textContent = `${Math.round(performance.now() - begin)} ms`;
      status(model.title);
    } catch (error) {
      say(`The picture could not be painted: ${error.message}`);
    }
  }
  const repainter = new Repainter(repaint);

  let shown = false;
  function changed() {
    repainter.ask();
    if (shown) return;
    shown = true;
    requestAnimationFrame(() => {
      shown = false;
      showMap();
    });
  }

  let style = null;
  if (model.latent) {
    const seeds = new Seeds(await (await load("latents.bin")).arrayBuffer(), model.latent);
    style = new StyleControls(model, seeds, engine.styleOf, { changed, say });
  }

  // === The map ===

  function buttons() {
    element("undo").disabled = !history.canUndo;
    element("redo").disabled = !history.canRedo;
  }

  function finished(before) {
    if (before.some((id, i) => id !== map.ids[i])) history.add(before);
    buttons();
  }

  function replace(ids) {
    const before = map.ids.slice();
    map.ids.set(ids);
    finished(before);
    changed();
  }

  function step(there, back) {
    if (drawing.isBusy) return drawing.cancel();
    if (!there) return;
    map.ids.set(back(map.ids.slice()));
    buttons();
    changed();
  }

  const undo = () => step(history.canUndo, (now) => history.undo(now));
  const redo = () => step(history.canRedo, (now) => history.redo(now));

  async function open(file) {
    say("");
    try {
      const read = await readLabelMap(file, model);
      replace(read.ids);
      if (read.resized) {
        const [from, to] = [read, model].map(({ width, height }) => `${width} x ${height}`);
        say(`The map was resized from ${from} to the ${to} pixels that this model paints.`);
      }
    } catch (error) {
      say(`The map could not be opened: ${error.message}.`);
    }
  }

  const drawing = new Drawing(element("map"), element("overlay"), map, {
    settings: () => ({
      tool: tool(),
      size: size.valueAsNumber,
      id: tool() === "eraser" ? classes.background : classes.chosen,
    }),
    changed,
    finished,
    picked: (id) => classes.choose(id),
    hovered: (id) => classes.hover(id),
  });

  async function save() {
    const png = await encodePng(map.ids, model.width, model.height, model.classes.length);
    download(png, `${model.title}_map.png`);
  }

  // === Controls ===

  const showSize = () => (element("size_shown").textContent = size.value);
  const resize = (by) => {
    size.valueAsNumber += by;
    showSize();
  };
  size.max = Math.ceil(Math.min(model.width, model.height) / 3);
  size.valueAsNumber = Math.ceil(Math.min(model.width, model.height) / 14);
  size.addEventListener("input", showSize);
  showSize();
  const choose = (name) => {
    document.querySelector(`input[name=tool][value=${name}]`).checked = true;
    if (drawing.isPolygon) drawing.cancel();
  };
  element("tools").addEventListener("change", () => drawing.isPolygon && drawing.cancel());
  const file = element("file");
  const clicks = {
    undo,
    redo,
    save,
    open: () => file.click(),
    save_picture: () => picture.toBlob((blob) => download(blob, `${model.title}_picture.png`)),
  };
  for (const [id, action] of Object.entries(clicks)) element(id).addEventListener("click", action);
  file.addEventListener("change", async () => {
    if (file.files.length) await open(file.files[0]);
    file.value = "";
  });
  element("message").lastElementChild.addEventListener("click", () => say(""));

  const paper = element("paper");
  for (const type of ["dragover", "dragleave", "drop"]) {
    paper.addEventListener(type, (event) => {
      event.preventDefault();
      paper.classList.toggle("over", type === "dragover");
      if (type === "drop" && event.dataTransfer.files.length) open(event.dataTransfer.files[0]);
    });
  }

  const keys = {
    ...{ b: "brush", e: "eraser", f: "fill", r: "rectangle", p: "polygon" },
    "[": () => resize(-1),
    "]": () => resize(1),
    "-": () => resize(-1),
    "+": () => resize(1),
    s: () => style?.another(),
  };
  const withControl = { z: undo, y: redo, o: clicks.open, s: save };
  const whileBusy = {
    Enter: () => drawing.closePolygon(),
    Backspace: () => drawing.removeCorner(),
    Escape: () => drawing.cancel(),
  };
  document.addEventListener("keydown", (event) => {
    if (event.target.matches("input[type=number], input[type=search], select")) return;
    if (event.altKey) return;
    const control = event.ctrlKey || event.metaKey;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    let action = (drawing.isBusy && whileBusy[key]) || (control ? withControl : keys)[key];
    if (action === undo && event.shiftKey) action = redo;
    const number = control ? -1 : "1234567890".indexOf(key);
    if (action) {
      event.preventDefault();
      if (typeof action === "string") choose(action);
      else action();
    } else if (key === "Escape") say("");
    else if (number >= 0 && number < model.classes.length) classes.choose(number);
  });

  // === Starting maps ===

  const blank = document.createElement("button");
  blank.className = "blank";
  blank.textContent = "Empty";
  blank.addEventListener("click", () => replace(new Uint16Array(map.ids.length).fill(classes.background)));
  element("maps").append(blank);
  for (const [number, path] of model.maps.entries()) {
    const { ids } = await readLabelMap(await (await load(path)).blob(), model);
    const button = document.createElement("button");
    button.setAttribute("aria-label", `Starting map ${number + 1}`);
    button.append(document.createElement("canvas"));
    button.firstElementChild.ariaHidden = "true";
    show(button.firstElementChild, imageOfIds(ids, model, classes.pixels));
    button.addEventListener("click", () => replace(ids));
    element("maps").append(button);
    if (number === 0 && !history.canUndo) {
      map.ids.set(ids); // Unless the user has already drawn.
      showMap();
    }
  }
  await ready;
  status("Painting the first picture, which takes some seconds …");
  repainter.ask();
}

main().catch((error) => {
  status("");
  say(`The painter could not start: ${error.message}`);
});
