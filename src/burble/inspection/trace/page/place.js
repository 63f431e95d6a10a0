// Show everything about the chosen place.

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
      ? "It is the first, so nothing predicted it."
      : `It was a surprise of ${number(bits)} bits: the model gave it a probability of ${percent(data.probabilities[place])}.`;
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
  if (!data.guesses[view.place].length) cell(body.insertRow(), "no prediction yet");
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
  $("meaning").textContent = `${gates[view.gate].name}: ${gates[view.gate].meaning}`;
}
