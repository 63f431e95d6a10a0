// The text that is written on, with what the model thinks of each of its tokens.

import { find, make } from "./dom.js";

const BOUNDS = [1, 2, 4, 6, 8]; // bits

export class Paper {
  constructor(changed) {
    this.area = find("text");
    this.colours = find("colours");
    this.tokens = []; // {start, end, bits, top} in the order of the text; of its beginning at least
    this.copied = [];
    this.area.addEventListener("input", () => this.#typed(changed));
    this.known = "";
  }

  get text() {
    return this.area.value;
  }

  get place() {
    return this.area.selectionStart;
  }

  // Put a text there, the cursor at its end.
  set(text) {
    this.area.value = text;
    this.area.setSelectionRange(text.length, text.length);
    this.#keepTrue();
    this.draw();
  }

  // What the server told of the text as it was then.
  learn(text, choice) {
    const found = choice.logprobs;
    const places = beginnings(text);
    if ([...choice.text].length < places.length - 1) return;
    this.known = text;
    this.tokens = found.tokens.map((_, i) => ({
      start: places[found.text_offset[i]] ?? text.length,
      end: places[found.text_offset[i + 1] ?? places.length - 1] ?? text.length,
      bits: found.token_logprobs[i] === null ? null : -found.token_logprobs[i] / Math.LN2,
      top: found.top_logprobs[i],
    }));
    this.#keepTrue();
    this.draw();
  }

  // Passages that stand in the training text too, as the server told them, in characters.
  mark(text, { spans }) {
    const places = beginnings(text);
    this.copied = spans.map(([start, end]) => [places[start], places[end]]);
    this.draw();
  }

  // What might have come at the cursor, likeliest first: [token, probability].
  guesses() {
    const token = this.tokens.find((one) => one.start === this.place);
    if (!token?.top) return [];
    return Object.entries(token.top)
      .map(([text, logprob]) => [text, Math.exp(logprob)])
      .sort((a, b) => b[1] - a[1]);
  }

  bitsPerCharacter() {
    const isCounted = ({ start, end, bits }) =>
      bits !== null && end <= this.text.length && end > start;
    const counted = this.tokens.filter(isCounted);
    return counted.length ? counted.reduce((sum, one) => sum + one.bits, 0) / counted.length : null;
  }

  // What is known of a beginning stays true whatever follows it.
  #keepTrue() {
    let same = 0;
    while (same < this.known.length && this.known[same] === this.text[same]) same += 1;
    this.tokens = this.tokens.filter((one) => one.end <= same || one.start === same);
    this.copied = this.copied.filter(([, end]) => end <= same);
    this.known = this.known.slice(0, same);
  }

  #typed(changed) {
    this.#keepTrue();
    this.draw();
    changed();
  }

  draw() {
    const kinds = new Array(this.text.length).fill("");
    if (find("show-bits").checked) {
      for (const { start, end, bits } of this.tokens) {
        const level = BOUNDS.filter((bound) => bits >= bound).length;
        if (level) kinds.fill(`s${level}`, start, end);
      }
    }
    if (find("show-copied").checked) {
      for (const [start, end] of this.copied) {
        for (let i = start; i < end; i += 1) kinds[i] += " copied";
      }
    }
    this.colours.replaceChildren(...runs(this.text, kinds));
  }
}

// Where each character begins, in the units that browsers count in, and where the last one ends.
function beginnings(text) {
  const places = [0];
  for (const character of text) places.push(places.at(-1) + character.length);
  return places;
}

// Neighbours of one kind become one element. A last empty line needs something in it to be seen.
function* runs(text, kinds) {
  for (let start = 0, end = 0; start < text.length; start = end) {
    while (end < text.length && kinds[end] === kinds[start]) end += 1;
    const part = text.slice(start, end);
    yield kinds[start] ? make("span", { className: kinds[start] }, part) : part;
  }
  yield "\u200b";
}
