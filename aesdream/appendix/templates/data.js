/* The page of an appendix: its dreams to filter, sort, search, open and hear, and the blind test. A script each for its data, its players, its grid,
 * its addresses, the view of one dream, the pictures in it, keys and the blind test; they share their names, are loaded in that order, and page.js
 * begins.
 *
 * The page opens from disk, where it may load scripts, pictures and sounds, and nothing else: data/dreams.js hands over a line of every dream of a
 * run, dreams/<name>.js what is to be seen of one. Several runs may stand side by side, each with a data/dreams.js of its own.
 */
"use strict";

const runs = [];
const dreams = [];
const waiting = new Map(); // address of a dream's script -> what to do with what it hands over

const $ = (selector, within = document) => within.querySelector(selector);

/** An element with attributes and children; an attribute that is a function listens to the event of its name. */
function make(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") made.addEventListener(name, value);
    else if (value !== null && value !== undefined && value !== false) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

const path = (name) => name.split("/").map(encodeURIComponent).join("/");
const slug = (name) => encodeURIComponent(name.replaceAll("/", "--"));
const clock = (seconds) => `${seconds.toFixed(1)} s`;
const distinct = (values) => [...new Set(values)];

window.aesdream = {
  index(told) {
    const script = document.currentScript;
    const run = { ...told, label: script.dataset.label, folder: script.src.replace(/data\/dreams\.js$/, "") };
    runs.push(run);
    for (const row of told.dreams) dreams.push(asDream(run, row));
  },
  detail(told) {
    waiting.get(document.currentScript.src)?.(told);
  },
};

function asDream(run, row) {
  const dream = Object.fromEntries(run.fields.map((field, place) => [field, row[place]]));
  const parts = dream.name.split("/");
  [dream.layer, dream.target, dream.side, dream.start] = parts.slice(-4);
  dream.sweep = parts[0];
  dream.model = parts.slice(1, -4).join("/");
  dream.run = run;
  dream.place = dreams.length;
  const layer = /^conv\d+$/.test(dream.layer) ? `layer ${dream.layer.slice(4)}` : dream.layer;
  const target = decodeURIComponent(dream.target);
  dream.title = /^\d+$/.test(target) ? `${layer}, filter ${target}` : `${layer}, ${target}`;
  dream.layerTitle = layer;
  dream.sideTitle = (dream.layer === "class" ? run.sides.class : run.sides.filter)[dream.side];
  dream.state = dream.problem ? (dream.problem.startsWith("failed") ? "failed" : "missing") : dream.fate;
  const words = [dream.title, dream.name, `${dream.layer}:${target}`, dream.figure ? `figure ${dream.figure}` : "", dream.verdict, dream.problem ?? ""];
  dream.words = [...words, dream.state, dream.sideTitle, run.label].join(" ").toLowerCase();
  return dream;
}

const trouble = make("p", { class: "warning trouble", role: "alert" });

/** Say that a sound is not there, over what is looked at. */
function tell(address) {
  trouble.textContent = `This sound is not beside the page: ${decodeURI(address)}`;
  ($("dialog[open]") ?? document.body).append(trouble);
}

/** What is to be seen of a dream, once its script has arrived. */
function detail(dream) {
  dream.detail ??= new Promise((resolve, reject) => {
    const script = make("script", { src: `${dream.run.folder}dreams/${slug(dream.name)}.js` });
    waiting.set(script.src, resolve);
    script.addEventListener("error", () => reject(new Error(`${script.src} is not there`)));
    document.head.append(script);
  });
  return dream.detail;
}

/** What a dream started from: one that was drawn for it comes with it, others of a run are shared. */
const startOf = (dream, told) => (typeof told.start === "string" ? dream.run.starts[told.start] : told.start);

const sound = (dream, suffix) => `${dream.run.folder}../dreams/${path(dream.name)}.${suffix}`;
