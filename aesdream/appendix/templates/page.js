/* Begin, once every script is there. */
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  for (const made of document.querySelectorAll("main .card[data-name]")) {
    const dream = dreams.find((one) => one.name === made.dataset.name);
    if (dream && !dream.problem) made.append(playButton(dream));
  }
  for (const box of document.querySelectorAll(".blind")) blindTest(box);
  if ($("#filters") && dreams.length) {
    begin();
    buildFilters();
    fillFilters();
    filtered(false);
  } else if ($("#count")) {
    $("#count").textContent = "This study asks for no dreams.";
  }
  addEventListener("hashchange", route);
  if (location.hash) route();
});

window.aesdream.blind = { exact, score, tail };
