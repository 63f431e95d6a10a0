// Figures over the progress of a run, as lines.

const [WIDTH, HEIGHT] = [600, 220];
const [LEFT, RIGHT, TOP, BOTTOM] = [40, 12, 14, 26];

export function drawCurve(svg, steps, readings) {
  const learned = steps.map((one) => [one.progress, one.train_bits_per_char]);
  const held = readings.map((one) => [one.progress, one.val_bits_per_char]);
  const values = [...learned, ...held].map(([, value]) => value);
  svg.replaceChildren();
  if (!values.length) return;
  const low = Math.floor(Math.min(...values));
  const high = Math.ceil(Math.max(...values, low + 1));
  const x = (progress) => LEFT + progress * (WIDTH - LEFT - RIGHT);
  const y = (value) => TOP + ((high - value) / (high - low)) * (HEIGHT - TOP - BOTTOM);
  for (let bits = low; bits <= high; bits += 1) {
    add(svg, "line", { class: "grid", x1: LEFT, x2: WIDTH - RIGHT, y1: y(bits), y2: y(bits) });
    add(svg, "text", { x: LEFT - 8, y: y(bits) + 4, "text-anchor": "end" }).textContent = bits;
  }
  for (const share of [0, 0.5, 1]) {
    const anchor = share === 0 ? "start" : share === 1 ? "end" : "middle";
    const mark = add(svg, "text", { x: x(share), y: HEIGHT - 7, "text-anchor": anchor });
    mark.textContent = `${share * 100}%`;
  }
  for (const [kind, points] of Object.entries({ learned, held })) {
    const path = points.map(([share, bits]) => `${x(share).toFixed(1)} ${y(bits).toFixed(1)}`);
    if (path.length) add(svg, "path", { class: kind, d: `M${path.join("L")}` });
  }
  for (const [share, bits] of held) add(svg, "circle", { cx: x(share), cy: y(bits), r: 3.5 });
}

function add(svg, tag, attributes) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  svg.append(element);
  return element;
}
