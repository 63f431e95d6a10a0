// Convert text to tokens and back, and write text after a prompt.

class TextError extends Error {}

function refuseHalves(text, what) {
  if (/\p{Surrogate}/u.test(text)) {
    throw new TextError(`The ${what} holds half a character. Remove it.`);
  }
}

class CharTokenizer {
  constructor({ vocabulary }) {
    this.characters = [...vocabulary];
    this.ids = new Map(this.characters.map((character, id) => [character, id]));
  }

  encode(text) {
    return [...text].map((character) => this.ids.get(character));
  }

  // Return characters that the model has never seen.
  unseen(text) {
    return [...new Set(text)].filter((character) => !this.ids.has(character));
  }

  decoder() {
    return (id) => this.characters[id];
  }
}

class ByteTokenizer {
  encode(text) {
    return [...new TextEncoder().encode(text)];
  }

  unseen() {
    return [];
  }

  // Return characters only when all their bytes have come.
  decoder() {
    const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
    return (id) => decoder.decode(Uint8Array.of(id), { stream: true });
  }
}

const TOKENIZERS = { char: CharTokenizer, byte: ByteTokenizer };

function normalize(text, { unicode_form, lowercase }) {
  const formed = unicode_form ? text.normalize(unicode_form) : text;
  return lowercase ? formed.toLowerCase() : formed;
}

// Return the prompt as the model reads it. Throws TextError for characters it has never seen.
function readPrompt(text, tokenizer, normalization) {
  refuseHalves(text, "prompt");
  const normalized = normalize(text, normalization);
  const forms = normalization.unicode_form ? [] : ["NFC", "NFD"];
  const known = (form) => !tokenizer.unseen(form).length;
  const prompt = [normalized, ...forms.map((form) => normalized.normalize(form))].find(known);
  const unseen = tokenizer.unseen(normalized);
  if (prompt === undefined) throw new TextError(`The model has never seen ${list(unseen)}.`);
  return prompt;
}

const LISTED = 10;

function list(characters) {
  const named = characters.slice(0, LISTED).map((character) => {
    const point = character.codePointAt(0).toString(16).toUpperCase().padStart(4, "0");
    const shown = /[\p{C}\p{Z}]/u.test(character) ? "" : `“${character}” `;
    return `${shown}U+${point}`;
  });
  const more = characters.length - LISTED;
  return named.join(", ") + (more > 0 ? ` and ${more} more` : "");
}

// Tokenize the prompt; an empty one is a line break.
function promptIds(tokenizer, prompt) {
  const text = prompt || (tokenizer.unseen("\n").length ? "" : "\n");
  return text ? tokenizer.encode(text) : [0];
}

// Return where the stop text begins that is complete first; -1 if there is none.
function stopPlace(text, stops) {
  let [place, end] = [-1, Infinity];
  for (const stop of stops) {
    const found = text.indexOf(stop);
    const after = found + stop.length;
    const sooner = after < end || (after === end && found < place);
    if (found >= 0 && sooner) [place, end] = [found, after];
  }
  return place;
}

// Return the length of the longest end of `text` that may be the beginning of a stop text.
function undecidedLength(text, stops) {
  const longest = Math.max(0, ...stops.map((stop) => stop.length));
  for (let size = Math.min(text.length, longest); size > 0; size--) {
    if (stops.some((stop) => stop.startsWith(text.slice(-size)))) return size;
  }
  return 0;
}

// Write text after the prompt. Yields a piece, often empty, after each token read.
function* write(model, tokenizer, request) {
  const { length, stop, seed, stream, window } = request;
  const ids = promptIds(tokenizer, request.prompt);
  const decode = tokenizer.decoder();
  let [left, pending] = [length, ""];
  for (let position = 0; left > 0; position++) {
    if (window || position === 0) yield* readAllButLast(model, window ? ids.slice(-window) : ids);
    model.read(ids.at(-1));
    const draw = () => uniform(seed, stream, position);
    ids.push(choose(model.logits(), ids.slice(-RECENT), request, draw));
    const characters = [...decode(ids.at(-1))].slice(0, left);
    left -= characters.length;
    pending += characters.join("");
    const place = stopPlace(pending, stop);
    if (place >= 0) return yield pending.slice(0, place);
    const certain = pending.length - (left > 0 ? undecidedLength(pending, stop) : 0);
    yield pending.slice(0, certain);
    pending = pending.slice(certain);
  }
}

function* readAllButLast(model, ids) {
  model.reset();
  for (const id of ids.slice(0, -1)) {
    model.read(id);
    yield "";
  }
}
