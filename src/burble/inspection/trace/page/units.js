// Show all units of the layer as squares.

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

/** Return the units, those that vary most along the text first. */
function sortByVariance() {
  const spreads = Array.from({ length: data.units }, (_, unit) => spread(gates[view.gate], unit));
  return [...spreads.keys()].sort((a, b) => spreads[b] - spreads[a]);
}

function paintMostVariable() {
  const buttons = sortByVariance()
    .slice(0, 8)
    .map((unit) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = unit;
      button.setAttribute("aria-label", `unit ${unit}`);
      button.addEventListener("click", () => chooseUnit(unit));
      return button;
    });
  $("most-variable").replaceChildren("Most variable units: ", ...buttons);
}
