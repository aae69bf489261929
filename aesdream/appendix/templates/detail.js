/* The view of one dream. */
"use strict";

const dialog = $("#detail");
let opened = null;
let before = "";

async function show(dream, namesakes) {
  if (!dialog.open) {
    before = choice();
    dialog.showModal();
  }
  opened = dream;
  dialog.replaceChildren(bar(dream), make("p", { role: "status" }, "Loading …"));
  $("h2", dialog).focus();
  dialog.scrollTop = 0;
  const list = shown.includes(dream) ? shown : dreams;
  if (dream.problem) return dialog.replaceChildren(bar(dream, list), ...missing(dream));
  const told = await detail(dream).catch((error) => error);
  if (opened !== dream) return undefined;
  if (told instanceof Error) return dialog.replaceChildren(bar(dream, list), make("p", { class: "warning", role: "alert" }, told.message));
  await player.load(dream);
  dialog.replaceChildren(bar(dream, list), ...inside(dream, told, namesakes));
  $("h2", dialog).focus();
  player.changed();
  return undefined;
}

dialog.addEventListener("close", () => {
  player.stop();
  opened = null;
  if (found(addressed()).length) history.replaceState(null, "", before);
});

function bar(dream, list = shown) {
  const place = list.indexOf(dream);
  const step = (label, key, other) =>
    make("button", { type: "button", "aria-label": label, disabled: !other, "data-step": key, click: () => other && (location.hash = address(other)) }, key);
  return make(
    "div",
    { class: "bar" },
    make("h2", { id: "detail-title", tabindex: "-1" }, `${dream.title}, ${dream.sideTitle}`),
    step("Previous dream", "←", list[place - 1]),
    step("Next dream", "→", list[place + 1]),
    make("button", { type: "button", click: () => dialog.close() }, "Close"),
  );
}

function where(dream) {
  const parts = [runs.length > 1 ? dream.run.label : "", dream.model, `sweep “${dream.sweep}”`, `from ${dream.start}`, dream.figure ? `figure ${dream.figure}` : ""];
  return make("p", {}, parts.filter(Boolean).join(" · "));
}

function missing(dream) {
  return [where(dream), make("p", { class: "warning" }, `This dream is not there: ${dream.problem}.`), make("p", {}, "The same aesdream run makes what is missing.")];
}

function inside(dream, told, namesakes) {
  const start = startOf(dream, told);
  return [
    where(dream),
    namesakes > 1 ? make("p", { class: "note" }, `${namesakes} dreams have this short address; this is the first. Its own: ${address(dream)}`) : null,
    told.verdict ? make("p", { class: "state" }, told.verdict) : null,
    playerBar(start),
    listening(dream, told),
    views(dream, told, start),
    plots(told),
    make("h3", {}, "In numbers"),
    make("dl", { class: "facts" }, ...told.facts.map(([name, text]) => make("div", {}, make("dt", {}, name), make("dd", {}, text)))),
    ...likes(dream, told),
    make("h3", {}, "To make it again"),
    make("p", {}, make("code", { tabindex: "0" }, told.again)),
    make("p", { class: "note" }, "In the run folder; its model is trained again first. On one type of CPU, with one build of torch, the bytes are the same."),
    ...elsewhere(told.elsewhere),
  ].filter(Boolean);
}

/** How to dream the same on another sound, or why no command does. */
function elsewhere(told) {
  if (told.why) return [make("p", { class: "note" }, `No command dreams it on another sound: ${told.why}.`)];
  return [make("p", { class: "note" }, "On another sound:"), make("p", {}, make("code", { tabindex: "0" }, told.command))];
}

function playerBar(start) {
  const play = make("button", { type: "button", class: "main", id: "toggle", click: () => player.toggle() }, "▶ Play");
  const choice = (which, label) => make("button", { type: "button", "data-hear": which, disabled: which === "start" && !start?.heard, click: () => player.hear(which) }, label);
  const seek = make("input", { type: "range", min: 0, max: player.seconds, step: 0.01, value: 0, "aria-label": "Position", id: "position" });
  seek.addEventListener("input", () => player.seek(Number(seek.value)));
  const hear = make("span", { role: "group", "aria-label": "Heard" }, choice("start", "Start"), " ", choice("dream", "Dream"));
  return make("div", { class: "player" }, play, hear, seek, make("output", { for: "position" }));
}

player.listeners.add(() => {
  if (!opened || player.dream !== opened || !$("#toggle")) return;
  $("#toggle").textContent = player.playing ? "❚❚ Pause" : "▶ Play";
  for (const button of dialog.querySelectorAll("[data-hear]")) button.setAttribute("aria-pressed", String(button.dataset.hear === player.heard));
  const at = player.now.currentTime;
  $("#position").value = at;
  $("#position").setAttribute("aria-valuetext", clock(at));
  $("output", dialog).textContent = `${clock(at)} of ${clock(player.seconds)}`;
  for (const view of dialog.querySelectorAll(".view")) view.style.setProperty("--at", at / player.seconds);
});

function listening(dream, told) {
  const share = told.facts.find(([name]) => name.includes("20 Hz"))?.[1];
  const exact = told.files.filter((suffix) => suffix !== "mp3");
  const links = exact.map((suffix) => make("a", { href: sound(dream, suffix) }, suffix === "wav" ? "exact dream (WAV, 32-bit float)" : `${suffix} of the dream`));
  links.push(make("a", { href: sound(dream, "json") }, "JSON"));
  const start = startOf(dream, told);
  if (start?.wav) links.push(make("a", { href: `${dream.run.folder}${path(start.wav)}` }, "exact start (WAV)"));
  if (dream.figure) links.push(make("a", { href: `${dream.run.folder}figures/figure-${dream.figure}.pdf` }, `figure ${dream.figure} as PDF`));
  return make(
    "div",
    {},
    make("p", { class: "note" }, `You hear listening copies: nothing below 20 Hz, and the louder of start and dream turned down to the other. Of the energy that the dream added, ${share} lies below 20 Hz.`),
    make("p", { class: "links" }, ...links),
  );
}

function likes(dream, told) {
  const near = told.near.map(([name, added, responses]) => [dreams.find((other) => other.run === dream.run && other.name === name), added, responses]);
  if (!near.length) return [];
  const cards = near.filter(([other]) => other).map(([other, added, responses]) => {
    const made = card(other);
    $("a", made).append(make("span", { class: "near" }, `added ${added}, responses ${responses}`));
    return made;
  });
  const said = "How alike they are in what their dreams add (cosine) and in their responses to the corpus (correlation).";
  return [make("h3", {}, "Most like it in its layer"), make("p", { class: "note" }, said), make("ul", { class: "cards" }, ...cards)];
}
