// The Look inside tab: the report that the server makes of a text and a model, in a frame.

import { askPage } from "./api.js";
import { find, say } from "./dom.js";

const MOST_SENT = 20_000; // characters; the server reads no more of a longer text's end
const NO_TEXT =
  "There is no text yet. Write something, and come back to see what happens inside while the model reads it.";

export class Inside {
  constructor(modelName, text) {
    this.modelName = modelName;
    this.text = text;
    this.shown = null; // which text and model the frame shows
  }

  // Show the text and the model as they are now.
  async open() {
    const asked = { model: this.modelName(), text: [...this.text()].slice(-MOST_SENT).join("") };
    const wanted = JSON.stringify(asked);
    if (wanted === this.shown) return;
    this.#close();
    if (!asked.text) return say(find("inside-said"), NO_TEXT);
    if (!asked.model) return say(find("inside-said"), "There is no model yet: train one.");
    this.waiting = new AbortController();
    say(find("inside-said"), "Reading…");
    try {
      const { signal } = this.waiting;
      const page = await askPage("/burble/inspect", { ...asked, unknown: "nearest" }, { signal });
      find("report").hidden = false; // it measures itself when it is loaded
      find("report").srcdoc = page;
      this.shown = wanted;
      say(find("inside-said"), "");
    } catch (error) {
      if (error.name !== "AbortError") say(find("inside-said"), error.message, true);
    }
  }

  // A model may have learned since it was looked into.
  forget() {
    this.shown = null;
  }

  #close() {
    this.waiting?.abort();
    this.shown = null;
    find("report").hidden = true;
  }
}
