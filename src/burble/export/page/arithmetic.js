"use strict";

// tanh, sigmoid and exp as docs/engine.md defines them: float32, rounded after every operation.

const f32 = Math.fround;

// Adding and subtracting this rounds a float64 below 2^51 to an integer, half to even.
const ROUNDER = 1.5 * 2 ** 52;
const rint = (x) => x + ROUNDER - ROUNDER;

const TANH_BOUND = f32(9.02);
const [P1, P2, P3, P4] = [0.13379713893, 0.0034940300975, 2.0583409423e-5, 1.331897348e-8].map(f32);
const [Q1, Q2, Q3, Q4] = [0.46713030338, 0.025871057063, 3.2830855343e-4, 7.7619785e-7].map(f32);

function tanh(given) {
  const x = Math.min(Math.max(given, -TANH_BOUND), TANH_BOUND);
  const s = f32(x * x);
  const p = f32(f32(f32(f32(f32(f32(f32(s * P4) + P3) * s) + P2) * s) + P1) * s) + 1;
  const q = f32(f32(f32(f32(f32(f32(f32(s * Q4) + Q3) * s) + Q2) * s) + Q1) * s) + 1;
  return Math.min(Math.max(f32(f32(x * f32(p)) / f32(q)), -1), 1);
}

const sigmoid = (x) => f32(f32(tanh(f32(x * 0.5)) * 0.5) + 0.5);

// biome-ignore lint/suspicious/noApproximativeNumericConstant: the digits of docs/engine.md.
const LOG2_E = f32(1.44269504);
const LN2_HIGH = f32(0.693359375);
const LN2_LOW = f32(-2.1219444e-4);
const [E0, E1, E2] = [0.4999999404, 0.16666519642, 0.041668400168].map(f32);
const [E3, E4] = [0.0083688506857, 0.0013814320555].map(f32);

// Return exp(x) * 2^power truncated to an integer, for x <= 0; x below -60 counts as -60.
function scaledExp(given, power) {
  const x = Math.max(given, -60);
  const n = rint(f32(x * LOG2_E));
  const r = f32(f32(x - f32(n * LN2_HIGH)) - f32(n * LN2_LOW));
  const e = f32(f32(f32(f32(f32(f32(f32(f32(r * E4) + E3) * r) + E2) * r) + E1) * r) + E0);
  const fraction = f32(f32(f32(f32(e * r) * r) + r) + 1);
  return n + power < 0 ? 0 : Math.trunc(fraction * (1 << (n + power)));
}

// Round x to integers in +-limit, put them into `integers`, and return their scale.
function toIntegers(x, integers, limit) {
  let largest = 0;
  for (let i = 0; i < x.length; i++) largest = Math.max(largest, Math.abs(x[i]));
  if (largest < 2 ** -100) largest = 0;
  const inverse = largest ? f32(limit / largest) : 0;
  for (let i = 0; i < x.length; i++) integers[i] = rint(f32(x[i] * inverse));
  return f32(largest / limit);
}
