// Tabs, models, the key; everything else is in the tabs.

import { ask, setKey } from "./api.js";
import { find, make, say } from "./dom.js";
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

const writer = new Writer(() => models.value || undefined);
const trainer = new Trainer(() => listModels().catch(told), async (name) => {
  await listModels(name).catch(told);
  say(find("said"), "");
  showTab("write");
  writer.rescore();
  find("text").focus();
});

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
addEventListener("hashchange", () => showTab(location.hash === "#train" ? "train" : "write"));
models.addEventListener("change", () => writer.rescore());

async function begin() {
  try {
    const some = await listModels();
    showTab(location.hash === "#train" || !some ? "train" : "write");
  } catch (error) {
    if (error.status !== 401) return told(error);
    find("ask-key").addEventListener("close", () => { setKey(find("key").value); begin(); }, { once: true });
    find("ask-key").showModal();
  }
}
begin();
