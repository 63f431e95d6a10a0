// Show the text, one element for each token.

const letters = data.shown.map((shown, place) => {
  const letter = document.createElement("span");
  const isLabel = shown.length > 2;
  letter.textContent = shown.replace("\n", "⏎\n");
  if (isLabel || shown === "\n") letter.className = "sign";
  letter.dataset.place = place;
  return letter;
});

function paintText(series) {
  letters.forEach((letter, place) => {
    const x = series.values[place];
    letter.style.backgroundColor = x === null ? "" : colour(share(x, series));
  });
}

function markPlace() {
  for (const old of $("text").querySelectorAll(".here")) old.classList.remove("here", "kept");
  letters[view.place].classList.add("here");
  letters[view.place].classList.toggle("kept", view.kept);
}

function show(letter) {
  const box = $("text");
  if (letter.offsetTop < box.scrollTop) box.scrollTop = letter.offsetTop - 8;
  const below = letter.offsetTop + letter.offsetHeight - box.clientHeight;
  if (below > box.scrollTop) box.scrollTop = below + 8;
}

/**
 * Return the place of the nearest letter one line up or down. Letters of one line may differ a
 * little in height, because small ones are lower.
 */
function lineAway(direction) {
  const half = parseFloat(getComputedStyle($("text")).lineHeight) / 2;
  const isBeside = (one, other) => Math.abs(one.offsetTop - other.offsetTop) < half;
  const here = letters[view.place];
  const distance = (place) => Math.abs(letters[place].offsetLeft - here.offsetLeft);
  let place = view.place;
  while (letters[place] && isBeside(letters[place], here)) place += direction;
  if (!letters[place]) return view.place;
  const line = letters[place];
  let best = place;
  for (; letters[place] && isBeside(letters[place], line); place += direction) {
    if (distance(place) < distance(best)) best = place;
  }
  return best;
}
