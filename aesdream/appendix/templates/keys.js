/* The keyboard: arrows from card to card, and what is heard. */
"use strict";

const TYPING = "input, select, textarea, audio";

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest(TYPING)) return;
  const acted = dialog.open ? keyInDialog(event) : keyInGrid(event);
  if (acted) event.preventDefault();
});

function keyInDialog(event) {
  const step = { ArrowLeft: "←", ArrowRight: "→" }[event.key];
  if (step) $(`[data-step="${step}"]`, dialog)?.click();
  else if (event.key === " " && opened && !opened.problem && !event.target.closest("button, a")) player.toggle();
  else if (event.key === "s") player.hear("start");
  else if (event.key === "d") player.hear("dream");
  else return false;
  return true;
}

function keyInGrid(event) {
  if (event.key === "/") {
    $("#filters")?.elements.search.focus();
    return true;
  }
  const here = event.target.closest("#grid .card");
  if (!here) return false;
  if (event.key === " " && event.target.matches("a")) {
    $(".play", here)?.click();
    return true;
  }
  const cards = [...document.querySelectorAll("#grid .card")];
  const next = neighbour(here, cards, event.key);
  if (!next) return false;
  $("a", next).focus();
  return true;
}

/** The card beside, above or below one, by where they are on the screen. */
function neighbour(here, cards, key) {
  const place = cards.indexOf(here);
  if (key === "ArrowLeft") return cards[place - 1];
  if (key === "ArrowRight") return cards[place + 1];
  if (key !== "ArrowUp" && key !== "ArrowDown") return null;
  const box = here.getBoundingClientRect();
  const way = key === "ArrowDown" ? 1 : -1;
  for (let other = place + way; cards[other]; other += way) {
    const its = cards[other].getBoundingClientRect();
    if (way * (its.top - box.top) > box.height / 2 && Math.abs(its.left - box.left) < box.width / 2) return cards[other];
  }
  return null;
}
