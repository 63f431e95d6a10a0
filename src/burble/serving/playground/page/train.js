// The Train tab: give a text, watch the run, keep what it learned.

import { ask } from "./api.js";
import { drawCurve } from "./curve.js";
import { find, make, say } from "./dom.js";
import { FIELDS } from "./fields.js";

const STATES = { running: "Learning", stopped: "Stopped", done: "Done", failed: "It failed" };
const EVERY = 1000;

export class Trainer {
  // learned: called when a run has a model to write with; write: called to write with it.
  constructor(learned, write) {
    this.learned = learned;
    this.name = null;
    Object.assign(find("minutes"), FIELDS.minutes);
    find("new-run").addEventListener("submit", (event) => this.#start(event));
    find("file").addEventListener("change", (event) => this.#read(event.target.files[0]));
    find("corpus").addEventListener("input", () => this.#count());
    this.#acceptDrops(find("corpus"));
    find("stop-run").addEventListener("click", () => this.#do("stop"));
    find("resume-run").addEventListener("click", () => this.#do("resume"));
    find("write-run").addEventListener("click", () => write(this.name));
  }

  #acceptDrops(area) {
    for (const kind of ["dragover", "dragleave", "drop"]) {
      area.addEventListener(kind, (event) => {
        area.classList.toggle("over", kind === "dragover");
        if (kind === "dragover") event.preventDefault();
        if (kind !== "drop" || !event.dataTransfer.files.length) return;
        event.preventDefault();
        this.#read(event.dataTransfer.files[0]);
      });
    }
  }

  async #read(file) {
    if (!file) return;
    try {
      const decoder = new TextDecoder("utf-8", { fatal: true });
      find("corpus").value = decoder.decode(await file.arrayBuffer());
      this.#count();
    } catch {
      say(
        find("train-said"),
        `${file.name} is not plain text in UTF-8. Save it as that, and choose it again.`,
        true,
      );
    }
  }

  #count() {
    const length = find("corpus").value.length.toLocaleString("en");
    find("corpus-said").textContent = `${length} characters`;
  }

  async #start(event) {
    event.preventDefault();
    if (!find("corpus").value.trim()) {
      say(find("train-said"), "There is no text to learn from. Type one, or choose a file.", true);
      return;
    }
    await this.#say(async () => {
      const body = { text: find("corpus").value, minutes: Number(find("minutes").value) };
      this.show((await ask("/burble/runs", body)).name);
    });
  }

  async #do(what) {
    await this.#say(() => ask(`/burble/runs/${encodeURIComponent(this.name)}/${what}`, {}));
    this.#refresh();
  }

  async #say(work) {
    try {
      say(find("train-said"), "");
      await work();
    } catch (error) {
      say(find("train-said"), error.message, true);
    }
  }

  async open() {
    const { runs, can_train: canTrain } = await ask("/burble/runs");
    find("no-train").hidden = canTrain;
    find("new-run").hidden = !canTrain;
    find("runs").replaceChildren(...runs.map((run) => this.#entry(run)));
    if (!runs.length) find("runs").append(make("li", { className: "hint" }, "None yet."));
    const going = runs.find((run) => run.state === "running");
    if (going && !this.name) this.show(going.name);
  }

  #entry(run) {
    const button = make("button", {}, `${run.name} `, make("small", {}, STATES[run.state]));
    button.addEventListener("click", () => this.show(run.name));
    return make("li", {}, button);
  }

  show(name) {
    this.name = name;
    find("run").hidden = false;
    this.#refresh();
  }

  async #refresh() {
    clearTimeout(this.timer);
    const name = this.name;
    try {
      const run = await ask(`/burble/runs/${encodeURIComponent(name)}`);
      if (name !== this.name) return;
      this.#draw(run);
      if (run.state === "running") this.timer = setTimeout(() => this.#refresh(), EVERY);
      if (run.state !== this.state) {
        this.state = run.state;
        if (run.has_model) this.learned(name);
        await this.open();
      }
    } catch (error) {
      say(find("train-said"), error.message, true);
    }
  }

  #draw(run) {
    const steps = run.metrics.filter((one) => "train_bits_per_char" in one);
    const readings = run.metrics.filter((one) => one.val_bits_per_char != null);
    const last = run.metrics.at(-1);
    find("run-title").textContent = run.name;
    const figures = [STATES[run.state]];
    if (last) {
      figures.push(`step ${last.step.toLocaleString("en")}`, `${last.seconds.toFixed(0)} s`);
    }
    if (readings.length) {
      const bits = readings.at(-1).val_bits_per_char.toFixed(3);
      figures.push(`${bits} bits per character on what was held out`);
    }
    if (run.state === "failed") figures.push(run.said);
    say(find("run-state"), figures.join(" · "), run.state === "failed");
    find("run-progress").value = run.state === "done" ? 1 : (last?.progress ?? 0);
    find("run-progress").hidden = run.state === "failed";
    drawCurve(find("curve"), steps, readings);
    find("curve-said").textContent =
      "Bits per character over the run, lower is better: what it learns from (orange), and what was held out (blue).";
    if (find("samples").textContent !== run.samples) {
      find("samples").textContent = run.samples;
      find("samples").scrollTop = find("samples").scrollHeight; // the newest is last
    }
    find("stop-run").hidden = run.state !== "running";
    find("resume-run").hidden = run.state !== "stopped";
    find("write-run").hidden = !run.has_model;
  }
}
