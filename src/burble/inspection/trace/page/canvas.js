// Colours: orange for positive values, blue for negative ones.

let much, little, inkColour, lineColour;
function mixColours() {
  const style = getComputedStyle(document.documentElement);
  const variable = (name) => style.getPropertyValue(name).trim();
  [much, little] = [variable("--much"), variable("--little")];
  [inkColour, lineColour] = [variable("--ink"), variable("--line")];
}
const colour = (share) => `rgb(${share < 0 ? little : much} / ${Math.abs(share)})`;

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
