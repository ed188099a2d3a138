// Converts the bytes of a file to ids that are classes of the model.

import { decodePng, MAX_BYTES } from "./png.js";
import { resized } from "./label_map.js";

// Ids of the model's size: the values of a file with one channel (255: "don't care", if
// the model has that class), or colours of the model's palette.
export async function readLabelMap(file, model) {
  if (file.size > MAX_BYTES) throw new Error(`it has ${file.size} bytes; at most ${MAX_BYTES}`);
  const png = await decodePng(new Uint8Array(await file.arrayBuffer()));
  const ids = png.channels > 1 ? idsOfColors(png, model) : idsOfNumbers(png, model);
  return {
    ids: resized(ids, png.width, png.height, model.width, model.height),
    resized: png.width !== model.width || png.height !== model.height,
    width: png.width,
    height: png.height,
  };
}

function idsOfNumbers({ width, pixels }, model) {
  const last = model.classes.length - 1;
  return pixels.map((number, i) => {
    if (number <= last) return number;
    if (number === 255 && model.void !== null) return model.void;
    throw new Error(`${place(i, width)} has the id ${number}; classes are 0..${last}`);
  });
}

function idsOfColors({ width, height, channels, pixels }, model) {
  const known = new Map();
  model.classes.forEach(({ color }, id) => known.has(color) || known.set(color, id));
  const alpha = channels % 2 === 0;
  return Uint16Array.from({ length: width * height }, (_, i) => {
    const pixel = pixels.subarray(i * channels, (i + 1) * channels);
    if (alpha && pixel[channels - 1] !== 255) throw new Error("it has transparent pixels");
    const rgb = channels < 3 ? [pixel[0], pixel[0], pixel[0]] : pixel.subarray(0, 3);
    const color = `#${Array.from(rgb, (n) => n.toString(16).padStart(2, "0")).join("")}`;
    const id = known.get(color);
    if (id !== undefined) return id;
    throw new Error(
      `${place(i, width)} has the colour ${color}, which is not a class's; save the ids in one ` +
        "channel, or use the colours that the classes have here",
    );
  });
}

function place(i, width) {
  return `the pixel in row ${Math.floor(i / width)}, column ${i % width}`;
}
