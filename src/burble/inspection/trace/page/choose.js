// Choose a place, a unit or a gate with the pointer or the keyboard.

function go(place, kept) {
  view.place = limit(place, 0, length - 1);
  view.kept = kept;
  drawPlace();
}

function keep(place) {
  go(place, true);
  show(letters[view.place]);
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
  paintMostVariable();
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

function listenToText() {
  const placeOf = (event) => event.target.dataset.place;
  $("text").addEventListener("pointerover", (event) => {
    if (event.pointerType !== "mouse" || !placeOf(event) || view.kept) return;
    go(Number(placeOf(event)), false);
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
    keep(MOVES[event.key]());
  });
}

function listenToPlaces() {
  $("place").addEventListener("input", () => keep(Number($("place").value)));
  $("strip").addEventListener("click", (event) => {
    keep(Math.floor((event.offsetX / $("strip").clientWidth) * length));
  });
}

function listenToChoices() {
  $("colours").addEventListener("change", (event) => {
    view.colour = event.target.value;
    draw();
  });
  $("layer").addEventListener("change", () => {
    view.layer = Number($("layer").value);
    draw();
    paintMostVariable();
  });
  $("gate").addEventListener("change", () => chooseGate(Number($("gate").value)));
  $("unit").addEventListener("change", () => chooseUnit(Math.round(Number($("unit").value)) || 0));
  $("gates").addEventListener("click", (event) => {
    const row = event.target.closest("tbody tr");
    if (row) chooseGate(Number(row.dataset.gate));
  });
}

function listenToUnits() {
  $("units").addEventListener("click", (event) => chooseUnit(unitAt(event)));
  $("units").addEventListener("keydown", (event) => {
    if (!(event.key in UNIT_MOVES)) return;
    event.preventDefault();
    chooseUnit(view.unit + UNIT_MOVES[event.key]);
  });
}
