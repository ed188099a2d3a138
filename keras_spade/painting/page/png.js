// PNG files of label ids, read and written without a canvas: browsers convert colours and make
// every picture RGBA, which changes ids.

const SIGNATURE = [137, 80, 78, 71, 13, 10, 26, 10];
const CHANNELS = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 }; // by PNG's colour type
const MAX_SIDE = 8192;
export const MAX_PIXELS = 2 ** 24;
export const MAX_BYTES = 2 ** 25;

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
  for (let k = 0; k < 8; k++) n = n & 1 ? 0xedb88320 ^ (n >>> 1) : n >>> 1;
  return n;
});

function crc32(bytes) {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = CRC_TABLE[(crc ^ byte) & 255] ^ (crc >>> 8);
  return ~crc >>> 0;
}

function chunk(name, content) {
  const bytes = new Uint8Array(12 + content.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, content.length);
  bytes.set(new TextEncoder().encode(name), 4);
  bytes.set(content, 8);
  view.setUint32(8 + content.length, crc32(bytes.subarray(4, 8 + content.length)));
  return bytes;
}

// A grey PNG whose values are the ids, with 8 bits, or 16 for more than 256 classes.
export async function encodePng(ids, width, height, classes) {
  const size = classes > 256 ? 2 : 1;
  const header = new Uint8Array(13);
  const view = new DataView(header.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  header.set([8 * size, 0, 0, 0, 0], 8);
  const stride = 1 + size * width; // Each row begins with its filter: 0, none.
  const rows = new Uint8Array(stride * height);
  ids.forEach((id, i) => {
    const place = Math.floor(i / width) * stride + 1 + size * (i % width);
    if (size === 2) rows[place] = id >> 8;
    rows[place + size - 1] = id & 255;
  });
  const stream = new Blob([rows]).stream().pipeThrough(new CompressionStream("deflate"));
  const data = new Uint8Array(await new Response(stream).arrayBuffer());
  const parts = [new Uint8Array(SIGNATURE), chunk("IHDR", header), chunk("IDAT", data)];
  return new Blob([...parts, chunk("IEND", new Uint8Array())], { type: "image/png" });
}

// Reads a PNG: { width, height, channels, pixels }, with the stored values, or the index for
// palettes. Errors describe the problem with the file.
export async function decodePng(bytes) {
  if (!SIGNATURE.every((byte, i) => bytes[i] === byte)) throw new Error("it is not a PNG file");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const data = [];
  let header = null;
  for (let at = 8, name = ""; name !== "IEND"; ) {
    const length = at + 12 <= bytes.length ? view.getUint32(at) : Infinity;
    if (at + 12 + length > bytes.length) throw new Error("it is truncated");
    name = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    const content = bytes.subarray(at + 8, at + 8 + length);
    if (["IHDR", "IDAT"].includes(name)) {
      if (crc32(bytes.subarray(at + 4, at + 8 + length)) !== view.getUint32(at + 8 + length)) {
        throw new Error(`it is damaged: wrong checksum of the part ${name}`);
      }
      if (name === "IHDR") header = checkedHeader(content);
      else data.push(content);
    }
    if (!header) throw new Error("it is damaged: its header is missing");
    at += 12 + length;
  }
  const { width, height, depth, channels } = header;
  const stride = Math.ceil((width * channels * depth) / 8);
  const rows = await inflated(data, (1 + stride) * height);
  unfilter(rows, stride, height, Math.max(1, (channels * depth) / 8));
  return { width, height, channels, pixels: unpacked(rows, stride, header) };
}

function checkedHeader(content) {
  if (content.length !== 13) throw new Error("it is damaged: its header has a wrong length");
  const view = new DataView(content.buffer, content.byteOffset);
  const [width, height] = [view.getUint32(0), view.getUint32(4)];
  const [depth, type, , , interlaced] = content.subarray(8);
  const large = width * height > MAX_PIXELS || width > MAX_SIDE || height > MAX_SIDE;
  if (!width || !height || large) {
    throw new Error(
      `it has ${width} x ${height} pixels; there must be at least one, and at most ` +
        `${MAX_SIDE} a side and ${MAX_PIXELS} in all`,
    );
  }
  const depths = { 0: [1, 2, 4, 8, 16], 3: [1, 2, 4, 8] }[type] ?? [8];
  if (!(type in CHANNELS) || !depths.includes(depth)) {
    throw new Error(
      `it has ${depth} bits per channel and PNG's colour type ${type}; save it as grey, with a ` +
        "palette, or as RGB of 8 bits",
    );
  }
  if (interlaced) throw new Error("it is interlaced; save it without");
  return { width, height, depth, channels: CHANNELS[type] };
}

// The rows; never decompresses more than the header declares.
async function inflated(data, size) {
  const stream = new Blob(data).stream().pipeThrough(new DecompressionStream("deflate"));
  const rows = new Uint8Array(size);
  let filled = 0;
  try {
    for (let reader = stream.getReader(), part; !(part = await reader.read()).done; ) {
      if (filled + part.value.length > size) {
        await reader.cancel();
        filled = Infinity;
        break;
      }
      rows.set(part.value, filled);
      filled += part.value.length;
    }
  } catch {
    throw new Error("it is damaged: its pixels cannot be unpacked");
  }
  if (filled !== size) {
    throw new Error("it is damaged: it holds more or fewer pixels than its header says");
  }
  return rows;
}

// Undoes the filters of PNG (specification, section 9), in place.
function unfilter(rows, stride, height, back) {
  for (let y = 0; y < height; y++) {
    const start = y * (stride + 1) + 1;
    const filter = rows[start - 1];
    if (filter > 4) throw new Error(`it is damaged: there is no filter ${filter}`);
    for (let x = 0; filter && x < stride; x++) {
      const left = x >= back ? rows[start + x - back] : 0;
      const above = y ? rows[start + x - stride - 1] : 0;
      const corner = y && x >= back ? rows[start + x - stride - 1 - back] : 0;
      rows[start + x] += [0, left, above, (left + above) >> 1, paeth(left, above, corner)][filter];
    }
  }
}

function paeth(a, b, c) {
  const [pa, pb, pc] = [Math.abs(b - c), Math.abs(a - c), Math.abs(a + b - 2 * c)];
  return pa <= pb && pa <= pc ? a : pb <= pc ? b : c;
}

function unpacked(rows, stride, { width, height, depth, channels }) {
  const count = width * channels;
  const pixels = new Uint16Array(count * height);
  for (let y = 0; y < height; y++) {
    const start = y * (stride + 1) + 1;
    for (let i = 0; i < count; i++) {
      const bit = i * depth;
      const byte = rows[start + (bit >> 3)];
      pixels[y * count + i] =
        depth === 16
          ? byte * 256 + rows[start + (bit >> 3) + 1]
          : (byte >> (8 - depth - (bit & 7))) & (2 ** depth - 1);
    }
  }
  return pixels;
}
