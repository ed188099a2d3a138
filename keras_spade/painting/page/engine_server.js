// The engine for a page with a server, which makes the pictures. Served as engine.js.

async function post(path, body) {
  let response;
  try {
    response = await fetch(path, {
      method: "POST",
      headers: { "Content-Type": "application/octet-stream" },
      body,
    });
  } catch {
    throw new Error("the painter's server does not answer; is it still running?");
  }
  if (!response.ok) throw new Error(await response.text());
  return response.arrayBuffer();
}

// There is nothing to load in advance.
export async function start() {}

// The pixels of the picture, rows of interleaved channels, as bytes.
export async function paint(ids, latent) {
  return new Uint8Array(await post("paint", new Blob([ids, latent ?? ""])));
}

// The latent of a photograph's style.
export async function styleOf(file) {
  return new Float32Array(await post("style", file));
}
