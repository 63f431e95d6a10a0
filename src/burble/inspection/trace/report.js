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

// A series: a figure for each place, its range, and what to call it.

function surprisalSeries() {
  return { values: data.surprisal, low: 0, high: data.max_surprisal, name: "surprise in bits" };
}

function unitSeries() {
  const gate = gates[view.gate];
  const values = places.map((place) => value(gate, place, view.unit));
  return ranged(values, gate, `${gate.name} of unit ${view.unit}`, [0, 1]);
}

function meanSeries() {
  const gate = gates[view.gate];
  const values = places.map((place) => mean(gate, place));
  const range = [Math.min(...values), Math.max(...values) + 1e-6];
  return ranged(values, gate, `mean ${gate.name}`, range);
}

function ranged(values, gate, name, [low, high]) {
  const most = reach(values);
  return gate.is_signed ? { values, low: -most, high: most, name } : { values, low, high, name };
}

const SERIES = { surprisal: surprisalSeries, unit: unitSeries, mean: meanSeries };

function share(x, { low, high }) {
  return low < 0 ? limit(x / high, -1, 1) : limit((x - low) / (high - low), 0, 1);
}

// Colours: orange for much, blue for the opposite, over the paper.

let much, little, inkColour, lineColour;
function mixColours() {
  const style = getComputedStyle(document.documentElement);
  const variable = (name) => style.getPropertyValue(name).trim();
  [much, little] = [variable("--much"), variable("--little")];
  [inkColour, lineColour] = [variable("--ink"), variable("--line")];
}
const colour = (share) => `rgb(${share < 0 ? little : much} / ${Math.abs(share)})`;

// The text.

const letters = data.shown.map((shown, place) => {
  const letter = document.createElement("span");
  const isLabel = shown.length > 2;
  letter.textContent = shown.replace("\n", "⏎\n");
  if (isLabel || shown === "\n") letter.className = "sign";
  letter.dataset.place = place;
  return letter;
});

function paintText(series) {
  letters.forEach((letter, place) => {
    const x = series.values[place];
    letter.style.backgroundColor = x === null ? "" : colour(share(x, series));
  });
}

function markPlace() {
  for (const old of $("text").querySelectorAll(".here")) old.classList.remove("here", "kept");
  letters[view.place].classList.add("here");
  letters[view.place].classList.toggle("kept", view.kept);
}

// Canvases, sharp on every screen.

function canvas(id, height) {
  const element = $(id);
  const scale = window.devicePixelRatio || 1;
  const width = element.clientWidth;
  if (height) element.style.height = `${height}px`;
  element.width = Math.round(width * scale);
  element.height = Math.round(element.clientHeight * scale);
  const pen = element.getContext("2d");
  pen.scale(scale, scale);
  return { pen, width, height: element.clientHeight };
}

function paintKey(series) {
  const { pen, width, height } = canvas("ramp");
  const start = series.low < 0 ? -1 : 0;
  for (let x = 0; x < width; x += 1) {
    pen.fillStyle = colour(start + ((1 - start) * x) / (width - 1));
    pen.fillRect(x, 0, 1, height);
  }
  const digits = view.colour === "mean" ? 3 : view.colour === "unit" ? 2 : 0;
  $("low").textContent = number(series.low, digits);
  $("high").textContent = number(series.high, digits);
  $("shown").textContent = series.name;
}

function paintStrip(series) {
  const { pen, width, height } = canvas("strip");
  const step = width / length;
  const zero = series.low < 0 ? height / 2 : height - 1;
  const tall = series.low < 0 ? height / 2 - 1 : height - 2;
  pen.fillStyle = lineColour;
  pen.fillRect(0, zero, width, 1);
  series.values.forEach((x, place) => {
    if (x === null) return;
    const part = share(x, series);
    pen.fillStyle = colour(part < 0 ? -1 : 1);
    pen.fillRect(place * step, zero, Math.max(step - (step > 4 ? 1 : 0), 0.5), -part * tall);
  });
  pen.strokeStyle = inkColour;
  pen.strokeRect(view.place * step, 0.5, Math.max(step, 2), height - 1);
}

// What is known of one place.

function cell(row, text) {
  const made = row.insertCell();
  made.textContent = text;
  return made;
}

function bar(row, part, signed) {
  const outer = document.createElement("span");
  const inner = document.createElement("i");
  outer.className = "bar";
  inner.className = part < 0 ? "minus" : "";
  inner.style.width = `${Math.abs(part) * (signed ? 50 : 100)}%`;
  inner.style.left = signed ? `${part < 0 ? 50 + part * 50 : 50}%` : "0";
  outer.append(inner);
  row.insertCell().append(outer);
}

function paintSurprise() {
  const { place } = view;
  $("what").textContent = `${data.labels[place]}  · ${data.token} ${place + 1} of ${length}`;
  const bits = data.surprisal[place];
  $("surprise").textContent =
    bits === null
      ? "It is the first: nothing foresaw it."
      : `It came as a surprise of ${number(bits)} bits: the model gave it ${percent(data.probabilities[place])}.`;
}

function paintGuesses() {
  const body = $("guesses").tBodies[0];
  body.replaceChildren();
  for (const [label, p] of data.guesses[view.place]) {
    const row = body.insertRow();
    row.className = label === data.labels[view.place] ? "came" : "";
    cell(row, label);
    cell(row, percent(p));
    bar(row, p, false);
  }
  if (!data.guesses[view.place].length) cell(body.insertRow(), "no guess yet");
}

function paintGates() {
  const body = $("gates").tBodies[0];
  body.replaceChildren();
  gates.forEach((gate, index) => {
    const row = body.insertRow();
    const x = value(gate, view.place, view.unit);
    row.className = index === view.gate ? "chosen" : "";
    row.dataset.gate = index;
    cell(row, gate.name);
    cell(row, number(mean(gate, view.place)));
    cell(row, number(x));
    bar(row, limit(squashed(gate, x), -1, 1), gate.is_signed);
  });
  $("unit-head").textContent = `unit ${view.unit}`;
  $("says").textContent = `${gates[view.gate].name}: ${gates[view.gate].says}`;
}

// All units of the layer, a square each.

const columns = limit(Math.ceil(Math.sqrt(2 * data.units)), 1, 32);
const rows = Math.ceil(data.units / columns);

function paintUnits() {
  const gate = gates[view.gate];
  const size = $("units").clientWidth / columns;
  const { pen } = canvas("units", rows * size);
  for (let unit = 0; unit < data.units; unit += 1) {
    pen.fillStyle = colour(limit(squashed(gate, value(gate, view.place, unit)), -1, 1));
    pen.fillRect((unit % columns) * size, Math.floor(unit / columns) * size, size - 1, size - 1);
  }
  pen.strokeStyle = inkColour;
  pen.lineWidth = 2;
  const [x, y] = [view.unit % columns, Math.floor(view.unit / columns)];
  pen.strokeRect(x * size, y * size, size - 1, size - 1);
  const of = data.layers > 1 ? ` of layer ${view.layer}` : "";
  $("units-head").textContent = `${gate.name} of all ${data.units} units${of}, here`;
  $("units").setAttribute("aria-valuenow", view.unit);
  $("units").setAttribute("aria-valuetext", `unit ${view.unit}`);
}

function unitAt(event) {
  const size = $("units").clientWidth / columns;
  const unit = Math.floor(event.offsetY / size) * columns + Math.floor(event.offsetX / size);
  return limit(unit, 0, data.units - 1);
}

function spread(gate, unit) {
  const values = places.map((place) => squashed(gate, value(gate, place, unit)));
  const middle = values.reduce((a, b) => a + b, 0) / length;
  return values.reduce((sum, x) => sum + (x - middle) ** 2, 0);
}

/** Units, those that change most along the text first. */
function lively() {
  const spreads = Array.from({ length: data.units }, (_, unit) => spread(gates[view.gate], unit));
  return [...spreads.keys()].sort((a, b) => spreads[b] - spreads[a]);
}

function paintLively() {
  const buttons = lively().slice(0, 8).map((unit) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = unit;
    button.setAttribute("aria-label", `unit ${unit}`);
    button.addEventListener("click", () => chooseUnit(unit));
    return button;
  });
  $("lively").replaceChildren("Those that change most: ", ...buttons);
}

// Drawing: what depends on the place alone, and all of it.

let series;

function drawPlace() {
  $("place").value = view.place;
  $("place").setAttribute("aria-valuetext", `${data.labels[view.place]}, ${view.place + 1} of ${length}`);
  markPlace();
  paintStrip(series);
  paintSurprise();
  paintGuesses();
  paintGates();
  paintUnits();
}

function draw() {
  mixColours();
  series = SERIES[view.colour]();
  for (const radio of document.querySelectorAll("[name=colour]")) radio.checked = radio.value === view.colour;
  $("layer").value = view.layer;
  $("gate").value = view.gate;
  $("unit").value = view.unit;
  paintText(series);
  paintKey(series);
  drawPlace();
}

// Choosing.

function go(place, kept) {
  view.place = limit(place, 0, length - 1);
  view.kept = kept;
  drawPlace();
}

function show(letter) {
  const box = $("text");
  if (letter.offsetTop < box.scrollTop) box.scrollTop = letter.offsetTop - 8;
  const below = letter.offsetTop + letter.offsetHeight - box.clientHeight;
  if (below > box.scrollTop) box.scrollTop = below + 8;
}

function chooseUnit(unit) {
  view.unit = limit(unit, 0, data.units - 1);
  view.colour = "unit";
  draw();
}

function chooseGate(gate) {
  view.gate = gate;
  if (view.colour === "surprisal") view.colour = "unit";
  draw();
  paintLively();
}

/** The letter a line up or down that stands nearest. Small ones stand a little lower in a line. */
function lineAway(direction) {
  const half = parseFloat(getComputedStyle($("text")).lineHeight) / 2;
  const isBeside = (one, other) => Math.abs(one.offsetTop - other.offsetTop) < half;
  const here = letters[view.place];
  const distance = (place) => Math.abs(letters[place].offsetLeft - here.offsetLeft);
  let place = view.place;
  while (letters[place] && isBeside(letters[place], here)) place += direction;
  if (!letters[place]) return view.place;
  let best = place;
  for (const line = letters[place]; letters[place] && isBeside(letters[place], line); place += direction) {
    if (distance(place) < distance(best)) best = place;
  }
  return best;
}

const MOVES = {
  ArrowLeft: () => view.place - 1,
  ArrowRight: () => view.place + 1,
  ArrowUp: () => lineAway(-1),
  ArrowDown: () => lineAway(1),
  Home: () => 0,
  End: () => length - 1,
};

const UNIT_MOVES = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns };

function listen() {
  const placeOf = (event) => event.target.dataset.place;
  $("text").addEventListener("pointerover", (event) => {
    if (event.pointerType === "mouse" && placeOf(event) && !view.kept) go(Number(placeOf(event)), false);
  });
  $("text").addEventListener("click", (event) => {
    if (!placeOf(event)) return;
    const place = Number(placeOf(event));
    go(place, !(view.kept && place === view.place));
  });
  $("text").addEventListener("keydown", (event) => {
    if (event.key === "Escape") go(view.place, false);
    if (!(event.key in MOVES) || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    go(MOVES[event.key](), true);
    show(letters[view.place]);
  });
  $("place").addEventListener("input", () => {
    go(Number($("place").value), true);
    show(letters[view.place]);
  });
  $("strip").addEventListener("click", (event) => {
    go(Math.floor((event.offsetX / $("strip").clientWidth) * length), true);
    show(letters[view.place]);
  });
  $("colours").addEventListener("change", (event) => {
    view.colour = event.target.value;
    draw();
  });
  $("layer").addEventListener("change", () => {
    view.layer = Number($("layer").value);
    draw();
    paintLively();
  });
  $("gate").addEventListener("change", () => chooseGate(Number($("gate").value)));
  $("unit").addEventListener("change", () => chooseUnit(Math.round(Number($("unit").value)) || 0));
  $("gates").addEventListener("click", (event) => {
    const row = event.target.closest("tbody tr");
    if (row) chooseGate(Number(row.dataset.gate));
  });
  $("units").addEventListener("click", (event) => chooseUnit(unitAt(event)));
  $("units").addEventListener("keydown", (event) => {
    if (!(event.key in UNIT_MOVES)) return;
    event.preventDefault();
    chooseUnit(view.unit + UNIT_MOVES[event.key]);
  });
  window.addEventListener("resize", draw);
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
}

function options(select, names) {
  select.append(...names.map((name, index) => new Option(name, index)));
}

function build() {
  const bits = data.bits_per_char === null ? "" : `, at ${number(data.bits_per_char)} bits a character`;
  $("summary").textContent =
    `What happens in a network of ${data.layers}×${data.units} ${data.cell} units while it reads ${length} ${data.token}${length === 1 ? "" : "s"}${bits}.`;
  if (data.read_before) {
    $("summary").textContent += ` Shown is the end of the text: the ${data.read_before.toLocaleString("en")} ${data.token}s before it were read first.`;
  }
  $("about").textContent = data.about;
  $("text").append(...letters);
  $("place").max = length - 1;
  $("unit").max = data.units - 1;
  $("units").setAttribute("aria-valuemax", data.units - 1);
  options($("layer"), [...Array(data.layers).keys()]);
  options($("gate"), gates.map((gate) => gate.name));
  $("of-layer").hidden = data.layers === 1;
  $("resolution").textContent =
    "Made by burble; it needs no network. Values are the network's own, in float32, shown in steps of 1/127 of each unit's largest.";
  view.unit ??= lively()[0];
  listen();
  draw();
  paintLively();
}

build();
