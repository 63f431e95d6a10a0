// Figures over the progress of a run, as lines.

const WIDTH = 600, HEIGHT = 220, LEFT = 40, RIGHT = 12, TOP = 14, BOTTOM = 26;

export function drawCurve(svg, steps, readings) {
  const learned = steps.map((one) => [one.progress, one.train_bits_per_char]);
  const held = readings.map((one) => [one.progress, one.val_bits_per_char]);
  const values = [...learned, ...held].map(([, value]) => value);
  svg.replaceChildren();
  if (!values.length) return;
  const low = Math.floor(Math.min(...values)), high = Math.ceil(Math.max(...values, low + 1));
  const x = (progress) => LEFT + progress * (WIDTH - LEFT - RIGHT);
  const y = (value) => TOP + ((high - value) / (high - low)) * (HEIGHT - TOP - BOTTOM);
  for (let bits = low; bits <= high; bits += 1) {
    add(svg, "line", { class: "grid", x1: LEFT, x2: WIDTH - RIGHT, y1: y(bits), y2: y(bits) });
    add(svg, "text", { x: LEFT - 8, y: y(bits) + 4, "text-anchor": "end" }).textContent = bits;
  }
  for (const share of [0, 0.5, 1]) {
    const anchor = share === 0 ? "start" : share === 1 ? "end" : "middle";
    add(svg, "text", { x: x(share), y: HEIGHT - 7, "text-anchor": anchor }).textContent = `${share * 100}%`;
  }
  for (const [points, kind] of [[learned, "learned"], [held, "held"]]) {
    const path = points.map(([progress, value]) => `${x(progress).toFixed(1)} ${y(value).toFixed(1)}`);
    if (path.length) add(svg, "path", { class: kind, d: `M${path.join("L")}` });
  }
  for (const [progress, value] of held) add(svg, "circle", { cx: x(progress), cy: y(value), r: 3.5 });
}

function add(svg, tag, attributes) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  svg.append(element);
  return element;
}
