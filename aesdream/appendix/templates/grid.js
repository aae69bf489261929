/* The grid of dreams: filtered, sorted and searched; a card each. */
"use strict";

const FACETS = [
  ["run", "Run", (dream) => dream.run.label],
  ["sweep", "Sweep", (dream) => dream.sweep],
  ["model", "Model", (dream) => dream.model],
  ["layer", "Layer", (dream) => dream.layer],
  ["side", "Side", (dream) => dream.side],
  ["start", "Start", (dream) => dream.start],
  ["state", "State", (dream) => dream.state],
];
const NARROWED = ["sweep", "model", "side", "start"]; // what begins with its first value, not with all
const FEW_STARTS = 3; // of more, none stands for all
const SORTS = {
  figure: ["as in the thesis", (a, b) => a.place - b.place],
  gain: ["activation gained", (a, b) => order(b.gain, a.gain)],
  distance: ["distance from the start", (a, b) => order(b.rms, a.rms)],
  inaudible: ["share that nobody hears", (a, b) => order(b.inaudible, a.inaudible)],
  likeness: ["likeness (likes side by side)", (a, b) => groupKey(a).localeCompare(groupKey(b)) || order(a.order ?? 1e9, b.order ?? 1e9)],
  target: ["target (runs and models side by side)", (a, b) => a.layer.localeCompare(b.layer) || order(a.target, b.target) || a.place - b.place],
};
const order = (a, b) => (a ?? -Infinity) - (b ?? -Infinity) || 0;
const groupKey = (dream) => [dream.run.label, dream.sweep, dream.model, dream.start, dream.side, dream.layer].join("/");
const state = {};
let shown = [];

function begin() {
  for (const [name, , of] of FACETS) state[name] = NARROWED.includes(name) && runs.length === 1 ? of(dreams[0]) : "all";
  if (runs.length > 1) Object.assign(state, { side: dreams[0].side, start: dreams[0].start });
  if (distinct(dreams.map((dream) => dream.start)).length > FEW_STARTS) state.start = "all";
  Object.assign(state, { sort: runs.length > 1 ? "target" : "figure", search: "" });
  begin.with ??= { ...state };
}

/** The address of the choice made: what differs from the first one. */
function choice() {
  const changed = Object.entries(state).filter(([name, value]) => value !== begin.with[name]);
  return changed.length ? `#dreams?${new URLSearchParams(changed)}` : "#dreams";
}

function buildFilters() {
  const form = $("#filters");
  for (const [name, label, of] of FACETS) {
    const values = distinct(dreams.map(of));
    if (values.length < 2) continue;
    const options = ["all", ...values].map((value) => make("option", { value }, name === "side" && value !== "all" ? sideName(value) : value));
    form.append(make("label", {}, label, make("select", { name }, ...options)));
  }
  const sorts = Object.entries(SORTS).map(([value, [label]]) => make("option", { value }, label));
  form.append(make("label", {}, "Sort by", make("select", { name: "sort" }, ...sorts)));
  form.append(make("label", {}, "Search", make("input", { name: "search", type: "search", placeholder: "conv4:17, dead, A.12 …" })));
  form.append(make("button", { type: "button", click: () => (begin(), fillFilters(), filtered()) }, "Reset"));
  form.addEventListener("input", () => {
    for (const field of new FormData(form)) state[field[0]] = field[1];
    filtered();
  });
  form.addEventListener("submit", (event) => event.preventDefault());
}

const sideName = (side) => distinct(dreams.filter((dream) => dream.side === side).map((dream) => dream.sideTitle)).join(" / ");

function fillFilters() {
  for (const [name, value] of Object.entries(state)) {
    const field = $("#filters").elements[name];
    if (field) field.value = value;
  }
}

function matches(dream, words) {
  return (
    FACETS.every(([name, , of]) => state[name] === "all" || of(dream) === state[name]) &&
    words.every((word) => (/^\d+$/.test(word) ? dream.target === word : says(dream, word)))
  );
}

/** Whether a word is said of a dream; a number at its end is the whole number, so that A.1 is not A.12. */
function says(dream, word) {
  const numbered = /\d$/.test(word);
  return dream.words.split(word).slice(1).some((rest) => !(numbered && /^\d/.test(rest)));
}

/** Choose, sort and show; the address keeps the choice, so that it can be cited. */
function filtered(remember = true) {
  const words = state.search.toLowerCase().split(/[\s,]+/).filter(Boolean);
  shown = dreams.filter((dream) => matches(dream, words)).sort(SORTS[state.sort][1]);
  $("#count").textContent = `${shown.length} of ${dreams.length} dreams`;
  drawGrid();
  if (remember) history.replaceState(null, "", choice());
}

function drawGrid() {
  const byLayer = ["figure", "likeness"].includes(state.sort);
  const groups = new Map();
  for (const dream of shown) {
    const key = byLayer ? groupKey(dream) : "";
    if (!groups.has(key)) groups.set(key, []);
    groups.get(key).push(dream);
  }
  const sections = [...groups.values()].map((members) => {
    const list = make("ul", { class: "cards" }, ...members.map(card));
    return byLayer ? make("div", { class: "group" }, make("h3", {}, groupTitle(members[0], members.length)), list) : list;
  });
  $("#grid").replaceChildren(...sections);
}

function groupTitle(dream, count) {
  const where = ["run", "sweep", "model", "start"].filter((name) => state[name] === "all" && $("#filters").elements[name]);
  const said = where.map((name) => (name === "run" ? dream.run.label : dream[name]));
  return [`${dream.layerTitle}, ${dream.sideTitle}: ${count} ${count === 1 ? "dream" : "dreams"}`, ...said].join(" · ");
}

function card(dream) {
  const picture = dream.problem
    ? make("span", { class: "nothing" }, "nothing to see")
    : make("img", { src: `${dream.run.folder}dreams/${slug(dream.name)}.png`, loading: "lazy", width: 200, height: 140, alt: "" });
  const among = [runs.length > 1 && dream.run.label, state.model === "all" && dream.model, state.side === "all" && dream.sideTitle];
  const said = dream.problem || dream.verdict;
  const link = make(
    "a",
    { href: address(dream) },
    picture,
    make("span", { class: "what" }, dream.title),
    dream.activation ? make("span", { class: "line" }, `activation ${dream.activation}`) : null,
    ...among.filter(Boolean).map((text) => make("span", { class: "line" }, text)),
    dream.copies?.length ? make("span", { class: "near" }, `near-copy of ${dream.copies.join(", ")}`) : null,
  );
  const made = make("li", { class: `card ${dream.state}` }, link, said ? make("p", { class: "state" }, said) : null);
  if (!dream.problem) made.append(playButton(dream));
  return made;
}

function playButton(dream) {
  const button = make("button", { type: "button", class: "play", "aria-label": `Play ${dream.title}` });
  button.addEventListener("click", () => playCard(dream));
  button.dream = dream;
  showPlaying(button);
  return button;
}

let playing = null; // the dream whose buttons are pressed
player.listeners.add(() => {
  const now = player.playing ? player.dream : null;
  if (now === playing) return; // a thousand buttons are not written anew at every moment of a sound
  playing = now;
  document.querySelectorAll(".card .play").forEach(showPlaying);
});

function showPlaying(button) {
  const on = player.playing && button.dream === player.dream;
  button.setAttribute("aria-pressed", String(on));
  button.textContent = on ? "❚❚" : "▶";
}
