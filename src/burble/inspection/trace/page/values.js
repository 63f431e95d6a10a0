"use strict";

const data = JSON.parse(document.getElementById("data").textContent);
const length = data.shown.length;
const $ = (id) => document.getElementById(id);
const limit = (x, low, high) => Math.min(high, Math.max(low, x));
const percent = (p) => (p >= 0.0995 ? `${Math.round(100 * p)}%` : `${(100 * p).toPrecision(2)}%`);
const number = (x, digits = 2) => x.toFixed(digits).replace("-", "−");

// What the page shows. `kept`: a click or a key chose the place, so the pointer does not move it.
const view = { place: 0, kept: false, ...data.start };

// For each gate and layer: values as signed bytes, (time, units), and a scale for each unit. They
// are little-endian, as is every machine that runs a browser.

const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer;
const unpack = ({ steps, values }) => ({
  steps: new Float32Array(bytes(steps)),
  values: new Int8Array(bytes(values)),
});
const gates = data.gates.map((gate) => ({ ...gate, layers: gate.layers.map(unpack) }));

function value(gate, place, unit) {
  const { steps, values } = gate.layers[view.layer];
  return steps[unit] * values[place * data.units + unit];
}

function mean(gate, place) {
  let sum = 0;
  for (let unit = 0; unit < data.units; unit += 1) sum += value(gate, place, unit);
  return sum / data.units;
}

// Map a value to −1 … 1. Unbounded ones go through tanh, as in the cell itself.
const squashed = (gate, x) => (gate.is_bounded ? x : Math.tanh(x));

const places = [...data.shown.keys()];
const reach = (numbers) => numbers.reduce((most, x) => Math.max(most, Math.abs(x)), 1e-6);
