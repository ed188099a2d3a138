// The engine for a page without a server: onnxruntime-web in a worker, so that the page
// stays responsive while it computes. The site has this file as engine.js.

const MAX_PIXELS = 2 ** 26;
let worker, settings, number = 0;
const waiting = new Map();

function ask(task, content) {
  return new Promise((resolve, reject) => {
    waiting.set(++number, { resolve, reject });
    worker.postMessage({ number, task, ...content });
  });
}

// Loads the runtime and the networks.
export async function start(model) {
  settings = model;
  worker = new Worker("worker.js", { type: "module" });
  worker.onerror = () => {
    for (const { reject } of waiting.values()) reject(new Error("worker.js does not run here"));
    waiting.clear();
  };
  worker.onmessage = ({ data: { number, result, error } }) => {
    const { resolve, reject } = waiting.get(number);
    waiting.delete(number);
    if (error) reject(new Error(error));
    else resolve(result);
  };
  await ask("start", { model });
}

// The pixels of the picture, rows of interleaved channels, as bytes.
export function paint(ids, latent) {
  return ask("paint", { ids, latent });
}

// The latent of a photograph's style. The browser resizes it, slightly differently from Pillow.
export async function styleOf(file) {
  const { width, height, channels } = settings.photograph;
  const image = new Image();
  image.src = URL.createObjectURL(file);
  try {
    await new Promise((resolve, reject) => {
      image.onload = resolve;
      image.onerror = () => reject(new Error("the photograph cannot be read as an image"));
    });
    const [w, h] = [image.naturalWidth, image.naturalHeight];
    if (w * h > MAX_PIXELS) throw new Error(`the photograph has ${w} x ${h} pixels; at most ${MAX_PIXELS}`);
    const context = new OffscreenCanvas(width, height).getContext("2d");
    context.imageSmoothingQuality = "high";
    context.drawImage(image, 0, 0, width, height);
    const rgba = context.getImageData(0, 0, width, height).data;
    const floats = new Float32Array(width * height * channels);
    for (let i = 0; i < width * height; i++) {
      const rgb = rgba.subarray(4 * i, 4 * i + 3);
      const grey = 0.299 * rgb[0] + 0.587 * rgb[1] + 0.114 * rgb[2];
      const pixel = channels === 1 ? [grey] : rgb;
      pixel.forEach((value, k) => (floats[i * channels + k] = value / 127.5 - 1));
    }
    return ask("style", { floats });
  } finally {
    URL.revokeObjectURL(image.src);
  }
}
