// The server, as functions. Answers are shown as text, never as markup, with one exception: a report is a
// page, shown in a frame without rights here. Texts in it are escaped JSON, and only the script
// whose hash is in the policy can run.

const KEY = "burble-key";

export class ServerError extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

// The server names fields of JSON, and here there are none.
const inWords = (message) =>
  message.replace(
    /^(The model has never seen .*\.) Change the text, or set .*$/su,
    "$1 Take it out.",
  );

export const setKey = (key) => sessionStorage.setItem(KEY, key);

async function send(path, body, { signal, method } = {}) {
  const headers = {};
  const key = sessionStorage.getItem(KEY);
  if (key) headers.authorization = `Bearer ${key}`;
  if (body !== undefined) headers["content-type"] = "application/json";
  const options = { method: method ?? (body === undefined ? "GET" : "POST"), headers, signal };
  if (body !== undefined) options.body = JSON.stringify(body);
  const answer = await fetch(path, options).catch((error) => {
    if (error.name === "AbortError") throw error;
    throw new ServerError(0, "The server cannot be reached. Is it still running?");
  });
  if (!answer.ok) {
    const told = await answer.json().catch(() => null);
    const message = told?.error?.message ?? `The server answered ${answer.status}. Try again.`;
    throw new ServerError(answer.status, inWords(message));
  }
  return answer;
}

export const ask = async (path, body, options) => (await send(path, body, options)).json();

export const askPage = async (path, body, options) => (await send(path, body, options)).text();

// The parts of a completion as they come: {text, logprobs, finish_reason}, with the seed and how
// many characters of the prompt were unknown.
export async function* complete(request, signal) {
  const answer = await send("/v1/completions", { ...request, stream: true }, { signal });
  for await (const event of events(answer.body)) {
    if (event.error) throw new ServerError(500, event.error.message);
    yield { ...event.choices[0], seed: event.seed, unknown: event.unknown_chars };
  }
}

function brokenOff(error) {
  if (error?.name === "AbortError") throw error;
  throw new ServerError(0, "The server broke off before the end. Try again.");
}

async function* events(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read().catch(brokenOff);
    if (done) brokenOff();
    const whole = (rest + value).split("\n\n");
    rest = whole.pop();
    for (const event of whole) {
      const data = event.slice("data: ".length);
      if (data === "[DONE]") return;
      yield JSON.parse(data);
    }
  }
}
