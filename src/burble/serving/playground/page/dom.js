// Small tools for the page.

export const find = (id) => document.getElementById(id);

// An element with properties and children; texts become text.
export function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

export function say(element, message, isWrong = false) {
  element.textContent = message;
  element.classList.toggle("wrong", isWrong);
}

// A token where it stands alone: spaces and control characters as signs one can see.
export function shown(token) {
  const named = { " ": "␣", "\n": "↵", "\t": "⇥", "\r": "␍" };
  return named[token] ?? token.replace(/[\p{Cc}\p{Cf}]/gu, "�");
}
