"use strict";

const data = JSON.parse(document.getElementById("data").textContent);
const length = data.shown.length;
const $ = (id) => document.getElementById(id);
const limit = (x, low, high) => Math.min(high, Math.max(low, x));
const percent = (p) => (p >= 0.0995 ? `${Math.round(100 * p)}%` : `${(100 * p).toPrecision(2)}%`);
const number = (x, digits = 2) => x.toFixed(digits).replace("-", "−");

// What is looked at. `kept`: a click or a key holds the place; the pointer does not move it.
const view = { place: 0, kept: false, ...data.start };

// Values: signed bytes, (time, units), for each gate and layer, and what a step of each unit is
// worth. The tables are little-endian, as every machine with a browser is.

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

// From −1 to 1, whatever bounds a value has: the cell itself shows no more of its memory.
const squashed = (gate, x) => (gate.is_bounded ? x : Math.tanh(x));

const places = [...data.shown.keys()];
const reach = (numbers) => numbers.reduce((most, x) => Math.max(most, Math.abs(x)), 1e-6);
