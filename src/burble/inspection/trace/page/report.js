// Draw the page: what depends on the chosen place, or everything.

let series;

function drawPlace() {
  $("place").value = view.place;
  const here = `${data.labels[view.place]}, ${view.place + 1} of ${length}`;
  $("place").setAttribute("aria-valuetext", here);
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
  for (const radio of $("colours").querySelectorAll("input")) {
    radio.checked = radio.value === view.colour;
  }
  $("layer").value = view.layer;
  $("gate").value = view.gate;
  $("unit").value = view.unit;
  paintText(series);
  paintKey(series);
  drawPlace();
}

function options(select, names) {
  select.append(...names.map((name, index) => new Option(name, index)));
}

function summary() {
  const { bits_per_char: bits, read_before: before, token } = data;
  const tokens = length === 1 ? `${length} ${token}` : `${length} ${token}s`;
  const at = bits === null ? "" : `, at ${number(bits)} bits a character`;
  const end = before
    ? ` This is the end of the text; the ${before.toLocaleString("en")} ${token}s before it were read first.`
    : "";
  return `What happens in a network of ${data.layers}×${data.units} ${data.cell} units while it reads ${tokens}${at}.${end}`;
}

function listen() {
  listenToText();
  listenToPlaces();
  listenToChoices();
  listenToUnits();
  window.addEventListener("resize", draw);
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
}

function build() {
  $("summary").textContent = summary();
  $("about").textContent = data.about;
  $("text").append(...letters);
  $("place").max = length - 1;
  $("unit").max = data.units - 1;
  $("units").setAttribute("aria-valuemax", data.units - 1);
  options($("layer"), [...Array(data.layers).keys()]);
  const names = gates.map((gate) => gate.name);
  options($("gate"), names);
  $("of-layer").hidden = data.layers === 1;
  $("resolution").textContent =
    "Made by burble. This page works offline. Values are computed in float32 and shown in steps of 1/127 of each unit's largest value.";
  view.unit ??= sortByVariance()[0];
  listen();
  draw();
  paintMostVariable();
}

build();
