// Tabs, models, the key; everything else is in the tabs.

import { ask, setKey } from "./api.js";
import { find, make, say } from "./dom.js";
import { Inside } from "./inside.js";
import { Trainer } from "./train.js";
import { Writer } from "./write.js";

const tabs = [...document.querySelectorAll("[role=tab]")];
const models = find("model");

function showTab(name) {
  for (const tab of tabs) {
    const isIt = tab.id === `tab-${name}`;
    tab.setAttribute("aria-selected", isIt);
    tab.tabIndex = isIt ? 0 : -1;
    find(tab.getAttribute("aria-controls")).hidden = !isIt;
  }
  history.replaceState(null, "", `#${name}`);
  if (name === "train") trainer.open().catch(told);
  if (name === "inside") inside.open();
}

// The tab that the address names, or the first.
function namedTab() {
  const name = location.hash.slice(1);
  return tabs.some((tab) => tab.id === `tab-${name}`) ? name : "write";
}

function told(error) {
  say(find("train-said"), error.message, true);
  say(find("said"), error.message, true);
}

async function listModels(choose) {
  const { data } = await ask("/v1/models");
  const before = choose ?? models.value;
  models.replaceChildren(...data.map(({ id }) => make("option", { value: id }, id)));
  if (data.some(({ id }) => id === before)) models.value = before;
  find("go").disabled = find("compare").disabled = !data.length;
  if (!data.length) say(find("said"), "There is no model yet: train one.");
  return data.length;
}

const modelName = () => models.value || undefined;
const writer = new Writer(modelName);
const inside = new Inside(modelName, () => writer.paper.text);
const trainer = new Trainer(learned, async (name) => {
  await listModels(name).catch(told);
  say(find("said"), "");
  showTab("write");
  writer.rescore();
  find("text").focus();
});

function learned() {
  inside.forget();
  return listModels().catch(told);
}

for (const [place, tab] of tabs.entries()) {
  tab.addEventListener("click", () => showTab(tab.id.slice(4)));
  tab.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const next = tabs[(place + step + tabs.length) % tabs.length];
    next.click();
    next.focus();
  });
}
addEventListener("hashchange", () => showTab(namedTab()));
models.addEventListener("change", () => {
  writer.rescore();
  if (!find("inside").hidden) inside.open();
});

function beginWithKey() {
  setKey(find("key").value);
  begin();
}

async function begin() {
  try {
    const some = await listModels();
    showTab(some ? namedTab() : "train");
  } catch (error) {
    if (error.status !== 401) return told(error);
    find("ask-key").addEventListener("close", beginWithKey, { once: true });
    find("ask-key").showModal();
  }
}
begin();
