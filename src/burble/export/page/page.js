// The page: read the form, write in short slices so that it keeps responding, and keep the settings
// in the address. Text is never set as HTML.

const element = (id) => document.getElementById(id);
const about = JSON.parse(element("model").textContent);
const model = new Model(about, element("weights").textContent);
const tokenizer = new TOKENIZERS[about.tokenizer.kind](about.tokenizer);

const NUMBERS = about.fields.map(({ id }) => id);
const SETTINGS = ["prompt", "seed", "stop", ...NUMBERS];
const SLICE = 12; // milliseconds, within a frame of 16
const SEEDS = 2n ** 63n;

let halted = false;

// An input for each number; those without a place in the page go under "More settings".

for (const { label, help, slider, ...attributes } of about.fields) {
  const input = element(attributes.id) ?? document.createElement("input");
  Object.assign(input, { type: "number", placeholder: "none", title: help, ...attributes });
  if (input.isConnected) continue;
  const [head, hint] = ["label", "small"].map((tag) => document.createElement(tag));
  hint.append(help);
  head.append(label, input, hint);
  element("more").append(head);
}

const [min, max, step] = about.fields.find(({ id }) => id === "temperature").slider;
Object.assign(element("slide"), { min, max, step });

function fromAddress() {
  const settings = new URLSearchParams(location.hash.slice(1));
  for (const name of SETTINGS) element(name).value = settings.get(name) ?? usual(name);
  element("slide").value = element("temperature").value;
}

const usual = (name) => String(about.defaults[name] ?? "");

// Keep in the address what differs from the defaults, and the seed.
function toAddress(seed) {
  const settings = new URLSearchParams();
  for (const name of SETTINGS) {
    const value = name === "seed" ? String(seed) : element(name).value;
    if (value !== usual(name)) settings.set(name, value);
  }
  history.replaceState(null, "", `#${settings}`);
}

function readRequest() {
  const prompt = readPrompt(element("prompt").value, tokenizer, about.normalization);
  const request = { prompt, stream: 0n };
  for (const name of NUMBERS) {
    const { value } = element(name);
    request[name] = value === "" ? null : Number(value);
  }
  request.seed = BigInt(element("seed").value || Math.floor(Math.random() * 1e6));
  request.stop = readStops(element("stop").value);
  return request;
}

function readStops(text) {
  refuseHalves(text, "stop text");
  const escapes = { n: "\n", t: "\t", "\\": "\\" };
  const lines = text.split("\n").filter(Boolean);
  return lines.map((line) => line.replace(/\\([nt\\])/g, (_, escaped) => escapes[escaped]));
}

async function run() {
  const request = readRequest();
  toAddress(request.seed);
  begin(request.prompt);
  const started = performance.now();
  try {
    const pieces = inSlices(write(model, tokenizer, request));
    for await (const piece of pieces) element("written").append(piece);
  } finally {
    setBusy(false);
  }
  report(request.seed, (performance.now() - started) / 1000);
}

// Yield the text of each slice. In between, the page handles events.
async function* inSlices(pieces) {
  let [written, end] = ["", performance.now() + SLICE];
  for (const piece of pieces) {
    written += piece;
    if (performance.now() < end) continue;
    yield written;
    await pause();
    if (halted) return;
    [written, end] = ["", performance.now() + SLICE];
  }
  yield written;
}

// Browsers delay timers by 4 ms or more, but not messages.
const channel = new MessageChannel();

function pause() {
  return new Promise((resolve) => {
    channel.port1.onmessage = resolve;
    channel.port2.postMessage(null);
  });
}

function begin(prompt) {
  halted = false;
  setBusy(true);
  element("begun").textContent = prompt;
  element("written").textContent = "";
  element("output").hidden = false;
  showStatus("Writing…");
}

function report(seed, seconds) {
  const count = [...element("written").textContent].length;
  const rate = Math.round(count / Math.max(seconds, 0.001)).toLocaleString("en");
  const done = halted ? "Stopped" : "Done";
  const figures = `${count.toLocaleString("en")} characters, ${rate} a second, seed ${seed}`;
  showStatus(`${done}: ${figures}.`);
}

// Switch between the buttons Write and Stop, and move keyboard focus with them.
function setBusy(busy) {
  const [on, off] = (busy ? ["halt", "write"] : ["write", "halt"]).map(element);
  const pressed = document.activeElement === off;
  on.disabled = false;
  off.disabled = true;
  if (pressed) on.focus();
  for (const id of ["copy", "share"]) element(id).disabled = busy;
}

function showStatus(message, wrong = false) {
  element("status").textContent = message;
  element("status").classList.toggle("wrong", wrong);
}

async function copy(text, what) {
  try {
    await navigator.clipboard.writeText(text);
    showStatus(`${what} copied.`);
  } catch {
    showStatus("The browser does not let this page copy. Select and copy it yourself.", true);
  }
}

element("form").addEventListener("submit", (event) => {
  event.preventDefault();
  run().catch((error) => {
    if (!(error instanceof TextError)) throw error;
    showStatus(error.message, true);
  });
});
// Open the section of an invalid input: browsers cannot point at a hidden one.
function unfold({ target }) {
  const folded = target.closest("details");
  if (folded) folded.open = true;
}
element("form").addEventListener("invalid", unfold, true);
element("halt").addEventListener("click", () => {
  halted = true;
});
element("copy").addEventListener("click", () => copy(element("output").textContent, "Text"));
element("share").addEventListener("click", () => copy(location.href, "Address"));
for (const [from, to] of Object.entries({ slide: "temperature", temperature: "slide" })) {
  element(from).addEventListener("input", ({ target }) => {
    element(to).value = target.value;
  });
}
element("seed").addEventListener("input", ({ target }) => {
  const high = /^[0-9]+$/.test(target.value) && BigInt(target.value) >= SEEDS;
  target.setCustomValidity(high ? "The seed must be below 2⁶³." : "");
});
addEventListener("hashchange", fromAddress);
fromAddress();
