// Styles: latents of seeds and photographs, and interpolation between two of them.

// Spherical interpolation between a and b, t from 0 to 1: latents are normal, and straight lines
// between them pass through latents that are too short.
export function between(a, b, t) {
  const dot = (u, v) => u.reduce((sum, value, i) => sum + value * v[i], 0);
  const cosine = dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
  const angle = Math.acos(Math.min(1, Math.max(-1, cosine)));
  const sine = Math.sin(angle);
  const [p, q] =
    sine > 1e-6 ? [Math.sin((1 - t) * angle) / sine, Math.sin(t * angle) / sine] : [1 - t, t];
  return a.map((value, i) => p * value + q * b[i]);
}

// The latents of all seeds, from the model's files.
export class Seeds {
  constructor(buffer, size) {
    this.latents = new Float32Array(buffer);
    this.size = size;
    this.count = this.latents.length / size;
  }

  latent(seed) {
    return this.latents.slice(seed * this.size, (seed + 1) * this.size);
  }
}
