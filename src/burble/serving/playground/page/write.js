// The Write tab: continue, stop, undo, branch, compare.

import { ask, complete } from "./api.js";
import { find, make, say, shown } from "./dom.js";
import { FIELDS } from "./fields.js"; // made by the server, from the knobs
import { Paper } from "./paper.js";

// What a slider's value means; the title explains the others.
const MEANINGS = {
  max_tokens: () => "Tokens to write: characters, or bytes where the model reads bytes.",
  temperature: (t) => {
    if (t === 0) return "Always the likeliest character.";
    if (t < 0.6) return "Careful: mostly the likeliest characters.";
    if (t < 1) return "A bit more careful than the model's own odds.";
    if (t === 1) return "The model's own odds.";
    return t <= 1.3 ? "Bolder than the model's own odds." : "Wild: unlikely characters come often.";
  },
  top_p: (p) =>
    p === 1
      ? "Off: any character may come."
      : `Only the likeliest, up to ${Math.round(p * 100)}% together.`,
  min_p: (p) =>
    p === 0 ? "Off." : `Nothing less than ${Math.round(p * 100)}% as likely as the likeliest.`,
  repetition_penalty: (r) => (r === 1 ? "Off." : "Characters of the last 64 become less likely."),
};
const TEMPERATURES = [0.3, 0.6, 0.9, 1.2];
const MOST_SCORED = 20000;
const MOST_ENDINGS = 20;
const TOP = 10;

function replaced(count) {
  if (!count) return "";
  return ` The model has never seen ${count === 1 ? "one character" : `${count} characters`} of your text: it read the nearest that it knows.`;
}

function givenSeed() {
  const typed = find("seed").value.trim();
  return /^\d+$/.test(typed) ? Number(typed) : null;
}

export class Writer {
  constructor(modelName) {
    this.modelName = modelName;
    this.paper = new Paper(() => this.#later());
    this.past = [];
    this.future = [];
    this.endings = [];
    this.writing = null;
    this.before = ""; // what the last thing written was written after
    this.#makeSliders();
    const on = (id, act) => find(id).addEventListener("click", act);
    on("go", () => (this.writing ? this.stop() : this.goOn()));
    on("again", () => this.again());
    on("undo", () => this.undo());
    on("redo", () => this.redo());
    on("compare", () => this.compare());
    find("show-bits").addEventListener("change", () => this.paper.draw());
    find("show-copied").addEventListener("change", () => this.paper.draw());
    document.addEventListener("selectionchange", () => this.#showGuesses());
    document.addEventListener("keydown", (event) => this.#key(event));
    this.#showState();
  }

  #makeSliders() {
    this.values = {};
    for (const { name, label, title, value, ...range } of FIELDS.sliders) {
      const output = make("output");
      const hint = make("p", { className: "hint", id: `says-${name}` });
      const input = make("input", { type: "range", id: `of-${name}`, title, ...range, value });
      input.setAttribute("aria-describedby", hint.id);
      const show = () => {
        this.values[name] = Number(input.value);
        output.textContent = input.value;
        hint.textContent = MEANINGS[name]?.(this.values[name]) ?? title;
      };
      input.addEventListener("input", show);
      show();
      const head = make("label", { htmlFor: input.id }, label, output);
      find("sliders").append(make("div", { className: "slider" }, head, input, hint));
    }
  }

  #key(event) {
    if (find("write").hidden) return;
    const command = event.ctrlKey || event.metaKey;
    if (event.key === "Escape" && this.writing) this.stop();
    else if (command && event.key === "Enter") this.goOn();
    else if (command && event.key.toLowerCase() === "z" && event.shiftKey) this.redo();
    else if (command && event.key.toLowerCase() === "z") this.undo();
    else if (command && event.key.toLowerCase() === "y") this.redo();
    else return;
    event.preventDefault();
  }

  #request(more) {
    const seed = givenSeed();
    return {
      model: this.modelName(),
      prompt: this.paper.text,
      unknown: "nearest",
      ...this.values,
      ...(seed === null ? {} : { seed }),
      ...more,
    };
  }

  async goOn() {
    if (this.writing) return;
    clearTimeout(this.timer); // all of it is scored in the end
    this.#keep();
    this.before = this.paper.text;
    const isDone = await this.#working(async (signal) => {
      for await (const part of complete(this.#request(), signal)) {
        find("seed-said").textContent =
          `This was written with seed ${part.seed}.${replaced(part.unknown)}`;
        this.paper.set(this.paper.text + part.text);
      }
    });
    if (isDone) this.#score();
    else this.#showGuesses();
  }

  stop() {
    this.writing?.abort();
  }

  // Return whether it finished; show what went wrong.
  async #working(work) {
    let isDone = true;
    this.writing = new AbortController();
    this.paper.area.readOnly = true;
    this.#showState();
    say(find("said"), "Writing…");
    try {
      await work(this.writing.signal);
      say(find("said"), "");
    } catch (error) {
      isDone = error.name === "AbortError";
      say(find("said"), isDone ? "Stopped." : error.message, !isDone);
    }
    this.writing = null;
    this.paper.area.readOnly = false;
    this.#showState();
    return isDone;
  }

  // Write another ending; the old one is kept.
  async again() {
    if (this.writing || !this.past.length) return;
    this.#remember();
    this.#keep();
    this.paper.set(this.before);
    await this.goOn();
  }

  // Put `token` at the cursor and continue from there.
  async branch(token) {
    if (this.writing) return;
    this.#remember();
    this.#keep();
    this.paper.set(this.paper.text.slice(0, this.paper.place) + token);
    await this.goOn();
    this.paper.area.focus();
  }

  #keep() {
    if (this.past.at(-1) !== this.paper.text) this.past.push(this.paper.text);
    this.future = [];
  }

  undo() {
    if (this.writing) return;
    const now = this.paper.text;
    while (this.past.at(-1) === now) this.past.pop();
    if (!this.past.length) return this.#showState();
    this.future.push(now);
    this.#put(this.past.pop());
  }

  redo() {
    if (this.writing || !this.future.length) return;
    this.past.push(this.paper.text);
    this.#put(this.future.pop());
  }

  #put(text) {
    this.paper.set(text);
    this.#showState();
    this.#score();
  }

  #remember() {
    const text = this.paper.text;
    if (!text || this.endings.includes(text)) return;
    this.endings = [text, ...this.endings].slice(0, MOST_ENDINGS);
    find("endings-box").hidden = false;
    find("endings").replaceChildren(...this.endings.map((ending) => this.#entry(ending)));
  }

  #entry(ending) {
    const end = `…${ending.slice(-60).replace(/\s+/g, " ")}`;
    const take = make("button", { title: "Back to this text" }, end);
    take.addEventListener("click", () => {
      if (this.writing) return;
      this.#remember();
      this.#keep();
      this.#put(ending);
    });
    return make("li", {}, take);
  }

  async compare() {
    if (this.writing) return;
    const seed = givenSeed() ?? Math.floor(Math.random() * 1e6);
    const columns = TEMPERATURES.map((temperature) => this.#column(temperature));
    find("columns").replaceChildren(...columns.map(({ element }) => element));
    find("columns").hidden = false;
    await this.#working((signal) =>
      Promise.all(columns.map((column) => this.#fill(column, seed, signal))),
    );
  }

  async #fill({ temperature, text, take }, seed, signal) {
    for await (const part of complete(this.#request({ temperature, seed }), signal)) {
      text.textContent += part.text;
    }
    take.disabled = false;
  }

  #column(temperature) {
    const text = make("p");
    const take = make("button", { disabled: true }, "Take this");
    const before = this.paper.text;
    take.addEventListener("click", () => {
      if (this.writing) return;
      this.#remember();
      this.#keep();
      this.before = before;
      this.#put(before + text.textContent);
      find("columns").hidden = true;
      this.paper.area.focus();
    });
    const heading = make("h2", {}, `Temperature ${temperature}`);
    const element = make("section", { className: "column" }, heading, text, take);
    return { temperature, text, take, element };
  }

  #later() {
    this.#showState();
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.#score(), 250);
  }

  // Score the whole text, and list what might come next.
  async #score() {
    clearTimeout(this.timer);
    const text = this.paper.text;
    if (!text || text.length > MOST_SCORED || !this.modelName()) return this.#showGuesses();
    try {
      const request = { model: this.modelName(), prompt: text, unknown: "nearest" };
      const asked = { ...request, max_tokens: 1, echo: true, logprobs: TOP };
      const answer = await ask("/v1/completions", asked);
      if (text !== this.paper.text) return;
      this.paper.learn(text, answer.choices[0]);
      const found = await ask("/burble/copied", { model: this.modelName(), text });
      if (text !== this.paper.text) return;
      this.paper.mark(text, found);
      this.#showFigures(found);
    } catch (error) {
      if (text === this.paper.text) say(find("said"), error.message, true);
    }
    this.#showGuesses();
  }

  rescore() {
    this.paper.tokens = [];
    this.paper.copied = [];
    this.paper.draw();
    this.#score();
  }

  #showFigures(found) {
    const bits = this.paper.bitsPerCharacter();
    const parts = bits === null ? [] : [`${bits.toFixed(2)} bits per character.`];
    if (found.shortest) {
      const copied = found.spans.reduce((sum, [start, end]) => sum + end - start, 0);
      parts.push(
        copied
          ? `${copied} characters stand in passages of ${found.shortest} or more that it copied.`
          : `No passage of ${found.shortest} characters or more is copied.`,
      );
    } else parts.push("What it learned from is not beside this model, so copies cannot be marked.");
    find("bits-said").textContent = parts.join(" ");
  }

  #showGuesses() {
    const guesses = this.paper.guesses();
    const entries = guesses.map(([token, share]) => this.#guess(token, share));
    if (!entries.length) entries.push(make("li", { className: "hint" }, "Write something first."));
    find("next").replaceChildren(...entries);
  }

  #guess(token, share) {
    const bar = make("progress", { max: 1, value: share });
    bar.setAttribute("aria-hidden", "true");
    const percent = `${(100 * share).toFixed(share < 0.1 ? 1 : 0)}%`;
    const figure = make("span", { className: "share" }, percent);
    const button = make("button", {}, make("b", {}, shown(token)), bar, figure);
    button.addEventListener("mousedown", (event) => event.preventDefault()); // the cursor stays
    button.addEventListener("click", () => this.branch(token));
    button.disabled = this.writing !== null || token.startsWith("bytes:");
    return make("li", {}, button);
  }

  #showState() {
    const busy = this.writing !== null;
    find("go").textContent = busy ? "Stop" : "Continue";
    for (const id of ["again", "compare"]) find(id).disabled = busy;
    find("again").disabled = busy || !this.past.length;
    find("undo").disabled = busy || !this.past.length;
    find("redo").disabled = busy || !this.future.length;
  }
}
