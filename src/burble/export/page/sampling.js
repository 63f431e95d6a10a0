// Choose the next token from logits: the filters in their order, then a draw.

const MASK = (1n << 64n) - 1n;
const RECENT = 64;
const LIKELIEST = 2 ** 30;

// Return the first of the four words of Philox4x64-10.
function philox(counter, seed, stream) {
  let [c0, c1, c2, c3] = [counter, 0n, 0n, 0n];
  let [k0, k1] = [seed, stream];
  for (let round = 0; round < 10; round++) {
    const low = 0xd2e7470ee14c6c93n * c0;
    const high = 0xca5a826395121157n * c2;
    [c0, c1] = [(high >> 64n) ^ c1 ^ k0, high & MASK];
    [c2, c3] = [(low >> 64n) ^ c3 ^ k1, low & MASK];
    k0 = (k0 + 0x9e3779b97f4a7c15n) & MASK;
    k1 = (k1 + 0xbb67ae8584caa73bn) & MASK;
  }
  return c0;
}

// Return the random number in [0, 1) for a position of a stream.
function uniform(seed, stream, position) {
  return Number(philox(BigInt(position), seed, stream) >> 11n) * 2 ** -53;
}

// Return the next token. logits: (vocab), changed by the penalty. recent: the newest tokens.
function choose(logits, recent, sampling, draw) {
  penalize(logits, recent, f32(sampling.repetition_penalty));
  const temperature = f32(sampling.temperature);
  const best = likeliest(logits);
  if (temperature === 0) return best;
  const weights = weigh(logits, logits[best], temperature);
  if (sampling.top_k !== null || sampling.top_p < 1) keepLikeliest(weights, sampling);
  const least = sampling.min_p * LIKELIEST;
  let total = 0;
  for (let i = 0; i < weights.length; i++) {
    if (weights[i] < least) weights[i] = 0;
    total += weights[i];
  }
  const place = Math.floor(draw() * total);
  let token = 0;
  for (let sum = weights[0]; sum <= place; sum += weights[token]) token++;
  return token;
}

function likeliest(logits) {
  let best = 0;
  for (let i = 1; i < logits.length; i++) if (logits[i] > logits[best]) best = i;
  return best;
}

function penalize(logits, recent, penalty) {
  if (penalty === 1) return;
  for (const token of new Set(recent)) {
    const x = logits[token];
    logits[token] = x > 0 ? x / penalty : x * penalty;
  }
}

function weigh(logits, best, temperature) {
  const weights = new Float64Array(logits.length);
  for (let i = 0; i < logits.length; i++) {
    weights[i] = scaledExp(f32(f32(logits[i] - best) / temperature), 30);
  }
  return weights;
}

// Apply top-k, then top-p: set all other weights to 0.
function keepLikeliest(weights, { top_k, top_p }) {
  const order = [...weights.keys()].sort((a, b) => weights[b] - weights[a] || a - b);
  for (const token of order.slice(top_k ?? order.length)) weights[token] = 0;
  const enough = top_p * weights.reduce((sum, weight) => sum + weight, 0);
  let before = 0;
  for (const token of order) {
    const weight = weights[token];
    if (before >= enough) weights[token] = 0;
    before += weight;
  }
}
