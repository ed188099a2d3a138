// Runs the networks of a site with onnxruntime-web.

let ort, generator, encoder, model, ready;

// Files of onnxruntime-web, from the page's folder, or from jsDelivr, in which case the browser
// verifies their hashes.
async function runtimeFile(name) {
  const { base, integrity } = model.onnxruntime;
  const options = integrity ? { integrity: integrity[name] } : {};
  const response = await fetch(base + name, options).catch(() => null); // No network, or no match.
  if (response?.ok) return response;
  const why = response ? response.status : "no connection, or another file than it should be";
  throw new Error(`${base + name} cannot be loaded: ${why}`);
}

async function start() {
  const script = await (await runtimeFile(model.onnxruntime.script)).blob();
  ort = await import(URL.createObjectURL(new Blob([script], { type: "text/javascript" })));
  ort.env.wasm.numThreads = 1; // More threads need headers that static hosts do not send.
  ort.env.wasm.wasmBinary = await (await runtimeFile(model.onnxruntime.wasm)).arrayBuffer();
  generator = await ort.InferenceSession.create("generator.onnx");
  if (model.photograph) encoder = await ort.InferenceSession.create("encoder.onnx");
}

async function paint({ ids, latent }) {
  const size = [1, model.height, model.width];
  const feeds = { labels: new ort.Tensor("int32", Int32Array.from(ids), size) };
  if (model.edges) feeds.edges = new ort.Tensor("float32", borders(ids), size);
  if (model.latent) feeds.latent = new ort.Tensor("float32", latent, [1, model.latent]);
  return (await generator.run(feeds)).image.data;
}

// Pixels with a left, right, upper or lower neighbour of another class.
function borders(ids) {
  const { width, height } = model;
  return Float32Array.from(ids, (id, i) => {
    const [x, y] = [i % width, Math.floor(i / width)];
    const other = (inside, place) => inside && ids[place] !== id;
    return (
      other(x > 0, i - 1) ||
      other(x < width - 1, i + 1) ||
      other(y > 0, i - width) ||
      other(y < height - 1, i + width)
    );
  });
}

async function style({ floats }) {
  const { width, height, channels } = model.photograph;
  const image = new ort.Tensor("float32", floats, [1, height, width, channels]);
  const results = await encoder.run({ [encoder.inputNames[0]]: image });
  return results[encoder.outputNames[0]].data; // The mean; the log variance is the second.
}

const tasks = { start: () => null, paint, style };

onmessage = async ({ data: { number, task, ...content } }) => {
  try {
    if (task === "start") {
      model = content.model;
      ready = start();
    }
    await ready; // The user can draw while the networks load.
    const result = await tasks[task](content);
    postMessage({ number, result });
  } catch (error) {
    postMessage({ number, error: error.message ?? String(error) });
  }
};
