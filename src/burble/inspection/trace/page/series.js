// A series: a number for each place, its range, and its name.

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
