/* The page of an appendix: its dreams to filter, sort, search, open and hear, and the blind test.
 *
 * It opens from disk, where a page may load scripts, pictures and sounds, and nothing else: data/dreams.js hands over a line of every dream of a run,
 * dreams/<name>.js what is to be seen of one. Several runs may stand side by side, each with a data/dreams.js of its own.
 */
"use strict";

(() => {
  const runs = [];
  const dreams = [];
  const waiting = new Map(); // address of a dream's script -> what to do with what it hands over

  /* ---- small tools ---- */

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

  /** Four significant digits at most, for the edges of a plot. */
  function short(value) {
    const text = Number(value.toPrecision(3)).toString();
    return text.replace("-", "−");
  }

  /* ---- what data/dreams.js and dreams/<name>.js hand over ---- */

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

  const sound = (dream, suffix) => `${dream.run.folder}../dreams/${path(dream.name)}.${suffix}`;

  /* ---- hearing: a dream and its start, of which one is heard at a time ---- */

  class Player {
    tracks = { start: new Audio(), dream: new Audio() };
    heard = "dream";
    dream = null;
    listeners = new Set();

    constructor() {
      for (const track of Object.values(this.tracks)) {
        track.preload = "auto";
        track.addEventListener("timeupdate", () => {
          if (track === this.now && this.seconds && track.currentTime >= this.seconds) this.end();
          this.changed();
        });
        // A start may go on behind its dream: where it did, X would be known by that.
        track.addEventListener("ended", () => (track === this.now || track === this.tracks.dream) && this.end());
      }
    }
    async load(dream) {
      if (this.dream === dream) return;
      this.stop();
      this.dream = dream;
      const told = await detail(dream).catch(() => null);
      if (!told) tell(sound(dream, "mp3"));
      if (!told && this.dream === dream) this.dream = null;
      if (this.dream !== dream) return;
      this.start = dream.run.starts[told.start];
      this.seconds = told.seconds;
      this.tracks.dream.src = sound(dream, "mp3");
      if (this.start?.heard) this.tracks.start.src = `${dream.run.folder}${path(this.start.mp3)}`;
      else this.heard = "dream";
    }
    get both() {
      return this.start?.heard ? [this.tracks.start, this.tracks.dream] : [this.tracks.dream];
    }
    get now() {
      return this.tracks[this.heard];
    }
    get playing() {
      return Boolean(this.dream) && !this.now.paused;
    }
    /** Both play; one is silent, so that the other is there at the same moment. */
    async play() {
      trouble.remove();
      for (const other of [player, hidden]) if (other !== this) other.stop();
      for (const track of this.both) {
        track.muted = track !== this.now;
        if (Math.abs(track.currentTime - this.now.currentTime) > 0.03) track.currentTime = this.now.currentTime;
      }
      try {
        await Promise.all(this.both.map((track) => track.play()));
      } catch (error) {
        if (error.name === "AbortError") return; // stopped before it began
        this.stop();
        tell(this.both.find((track) => track.error)?.src ?? this.now.src);
      }
      this.changed();
    }
    stop() {
      for (const track of Object.values(this.tracks)) track.pause();
      this.changed();
    }
    end() {
      this.stop();
      this.seek(0);
    }
    toggle() {
      return this.playing ? this.stop() : this.play();
    }
    hear(which) {
      if (which === "start" && !this.start?.heard) return;
      const from = this.now;
      this.heard = which;
      if (Math.abs(this.now.currentTime - from.currentTime) > 0.03) this.now.currentTime = from.currentTime;
      for (const track of this.both) track.muted = track !== this.now;
      this.changed();
    }
    seek(seconds) {
      for (const track of this.both) track.currentTime = seconds;
      this.changed();
    }
    changed() {
      for (const listener of this.listeners) listener(this);
    }
  }
  const player = new Player();
  const hidden = new Player(); // of the blind test: the page's own would show what is heard

  async function playCard(dream) {
    const same = player.dream === dream;
    await player.load(dream);
    if (player.dream !== dream) return;
    if (!same) player.hear("dream");
    await player.toggle();
  }

  /* ---- filters ---- */

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

  /* ---- addresses: #conv4/17/post, with model, sweep and run before it and the start behind it where that alone says too little ---- */

  function address(dream) {
    dream.address ??= (() => {
      const bare = `${dream.layer}/${dream.target}/${dream.side}`;
      const run = runs.length > 1 ? `${encodeURIComponent(dream.run.label)}/` : "";
      const forms = [bare, `${bare}/${dream.start}`, `${dream.model}/${bare}`, `${dream.model}/${bare}/${dream.start}`, dream.name, `${run}${dream.name}`];
      return `#${encodeURI(forms.find((form) => found(form).length === 1) ?? dream.name)}`;
    })();
    return dream.address;
  }

  const bySuffix = new Map();

  /** Every dream that a form of address names. */
  function found(form) {
    if (!bySuffix.size) {
      for (const dream of dreams) {
        const bare = `${dream.layer}/${dream.target}/${dream.side}`;
        const names = [bare, `${dream.model}/${bare}`, `${dream.sweep}/${dream.model}/${bare}`, `${dream.sweep}/${bare}`];
        const whole = runs.length > 1 ? [`${encodeURIComponent(dream.run.label)}/${dream.name}`] : [];
        for (const name of [...names.flatMap((part) => [part, `${part}/${dream.start}`]), ...whole]) {
          if (!bySuffix.has(name)) bySuffix.set(name, []);
          bySuffix.get(name).push(dream);
        }
      }
    }
    return bySuffix.get(form) ?? [];
  }

  /** What the address names: unlike decodeURI this undoes Python's quote too, which escapes what a URI reserves. */
  const addressed = () => decodeURIComponent(location.hash.slice(1));

  function route() {
    const hash = addressed();
    const [chapter, query] = location.hash.slice(1).split("?");
    if (chapter === "dreams" && query !== undefined) {
      begin();
      for (const [name, value] of new URLSearchParams(query)) if (name in state && (name !== "sort" || value in SORTS)) state[name] = value;
      fillFilters();
      filtered(false);
      $("#dreams").scrollIntoView();
    }
    const named = found(hash);
    if (named.length) open(named[0], named.length);
    else if (dialog.open) dialog.close();
    if (!named.length && hash.includes("/") && query === undefined) $("#count").textContent = `No dream is called ${hash}.`;
  }

  /* ---- one dream ---- */

  const dialog = $("#detail");
  let opened = null;
  let before = "";

  async function open(dream, namesakes) {
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
    const start = dream.run.starts[told.start];
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
      make("p", { class: "note" }, "In the run folder; its model is trained again first. On one type of CPU, with one build of torch, the bytes are the same. On another sound:"),
      make("p", {}, make("code", { tabindex: "0" }, told.elsewhere)),
    ].filter(Boolean);
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
    const start = dream.run.starts[told.start];
    if (start?.wav) links.push(make("a", { href: `${dream.run.folder}${path(start.wav)}` }, "exact start (WAV)"));
    if (dream.figure) links.push(make("a", { href: `${dream.run.folder}figures/figure-${dream.figure}.pdf` }, `figure ${dream.figure} as PDF`));
    return make(
      "div",
      {},
      make("p", { class: "note" }, `You hear listening copies: nothing below 20 Hz, as loud as the start where peaks allow. Of the energy that the dream added, ${share} lies below 20 Hz.`),
      make("p", { class: "links" }, ...links),
    );
  }

  /* ---- pictures ---- */

  const bytes = (text) => Int8Array.from(atob(text), (letter) => letter.charCodeAt(0));

  /** Envelopes (lows, then highs, in each text) as filled shapes, one lane below another. */
  function wave(texts, kind, label, over = null) {
    const lanes = texts.map(bytes);
    const columns = lanes[0].length / 2;
    const height = 256 * lanes.length;
    const shape = (envelope, lane) => {
      const y = (value, least) => 128 + 256 * lane - value - least;
      const upper = Array.from({ length: columns }, (_, x) => `${x} ${y(envelope[columns + x], 1)}`);
      const lower = Array.from({ length: columns }, (_, x) => `${columns - 1 - x} ${y(envelope[columns - 1 - x], -1)}`);
      return `M${upper.join("L")}L${lower.join("L")}Z`;
    };
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    for (const [name, value] of [["viewBox", `0 0 ${columns - 1} ${height}`], ["preserveAspectRatio", "none"], ["role", "img"], ["aria-label", label]]) svg.setAttribute(name, value);
    for (const [envelopes, look, opacity] of [[lanes, kind, 1], [over?.map(bytes) ?? [], "start-wave", 0.55]]) {
      envelopes.forEach((envelope, lane) => {
        const drawn = document.createElementNS(svg.namespaceURI, "path");
        drawn.setAttribute("d", shape(envelope, lane));
        drawn.setAttribute("class", look);
        drawn.setAttribute("opacity", opacity);
        svg.append(drawn);
      });
    }
    return svg;
  }

  function views(dream, told, start) {
    const made = make("div", { class: "views" });
    const row = (title, kind, texts, label, heat, over) => {
      made.append(make("h3", {}, title));
      made.append(view(wave(texts, kind, label, over), ""));
      if (heat) made.append(view(make("img", { src: heat, alt: `Spectrogram: ${title}`, width: 400, height: 112 }), `0 to ${told.nyquist / 1000} kHz`));
    };
    const folder = dream.run.folder;
    const base = `${folder}dreams/${slug(dream.name)}`;
    if (start?.wave) row("Start", "start-wave", start.wave, "Waveform of the start, left channel above right", `${folder}${path(start.heat)}`);
    row("Dream, with the start over it", "dream-wave", told.wave, "Waveform of the dream, left channel above right", `${base}-heat.png`, start?.wave);
    if (told.change) {
      row(`Difference: what was added (both channels, largest ${short(told.peak)})`, "change-wave", [told.change], "Waveform of the difference, on its own scale", `${base}-change.png`);
    }
    return made;
  }

  function view(picture, label) {
    const made = make("div", { class: "view" }, picture, label ? make("small", {}, label) : null);
    made.addEventListener("click", (event) => {
      const box = made.getBoundingClientRect();
      player.seek(((event.clientX - box.left) / box.width) * player.seconds);
    });
    return made;
  }

  function plots(told) {
    const made = make("div", { class: "plots" });
    const added = told.coefficients.length * (told.seconds / Math.max(told.coefficients.length, 1));
    const asked = [
      ["activation", told.activation, "step 0", `step ${told.activation.length - 1}`],
      ["kernel added (coefficients)", told.coefficients, "0 s", clock(added)],
      ["change, RMS every 100 ms", told.energy, "0 s", clock(told.energy.length * 0.1)],
      ["modulation of the change (share)", told.modulation.share, "0 Hz", `${told.modulation.hertz.at(-1)} Hz`],
    ];
    for (const [title, values, from, to] of asked) if (values.length > 1) made.append(plot(title, values, from, to));
    return made;
  }

  function plot(title, values, from, to) {
    const low = Math.min(...values);
    const high = Math.max(...values);
    const y = (value) => 98 - (96 * (value - low)) / (high - low || 1);
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    const label = `${title}, from ${from} to ${to}: first ${short(values[0])}, last ${short(values.at(-1))}, between ${short(low)} and ${short(high)}`;
    for (const [name, value] of [["viewBox", `0 0 ${values.length - 1} 100`], ["preserveAspectRatio", "none"], ["role", "img"], ["aria-label", label]]) svg.setAttribute(name, value);
    const line = document.createElementNS(svg.namespaceURI, "path");
    line.setAttribute("d", `M${values.map((value, x) => `${x} ${y(value).toFixed(2)}`).join("L")}`);
    svg.append(line);
    const ends = (...texts) => make("div", { class: "range", "aria-hidden": "true" }, ...texts.map((text) => make("span", {}, text)));
    return make("figure", { class: "plot" }, make("figcaption", {}, title), ends(`${short(low)} to ${short(high)}`), svg, ends(from, to));
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

  /* ---- keys ---- */

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

  /* ---- the blind test ---- */

  /** The chance of at least `right` in `trials` fair coins. */
  function tail(right, trials, p = 0.5) {
    let sum = 0;
    let term = Math.pow(1 - p, trials);
    for (let k = 0; k <= trials; k += 1) {
      if (k >= right) sum += term;
      term *= ((trials - k) / (k + 1)) * (p / (1 - p));
    }
    return Math.min(1, sum);
  }

  /** The exact (Clopper-Pearson) interval of a proportion. */
  function exact(right, trials, confidence = 0.95) {
    const half = (1 - confidence) / 2;
    const solve = (test) => {
      let [low, high] = [0, 1];
      for (let step = 0; step < 60; step += 1) {
        const middle = (low + high) / 2;
        if (test(middle)) low = middle;
        else high = middle;
      }
      return (low + high) / 2;
    };
    const low = right === 0 ? 0 : solve((p) => tail(right, trials, p) < half);
    const high = right === trials ? 1 : solve((p) => 1 - tail(right + 1, trials, p) > half);
    return { low, high };
  }

  function score(trials) {
    const right = trials.filter((trial) => trial.answer === trial.x).length;
    return { right, trials: trials.length, share: right / trials.length, interval: { ...exact(right, trials.length), confidence: 0.95, method: "Clopper-Pearson" }, p: tail(right, trials.length) };
  }

  const below = (bound) => crypto.getRandomValues(new Uint32Array(1))[0] % bound;

  function blindTest(box) {
    const chosen = JSON.parse(box.dataset.names).map((name) => dreams.find((dream) => dream.name === name)).filter((dream) => dream && !dream.problem);
    const heading = make("p", { role: "status" });
    const trials = [];
    let number = 0;
    let trial = null;
    const key = (label, act, look = "") => make("button", { type: "button", class: look, click: act }, label);
    const play = make("div", { class: "keys" }, key("Play A, the start", () => hear("a")), key("Play B, the dream", () => hear("b")), key("Play X", () => hear("x"), "main"));
    const say = make("div", { class: "keys" }, key("X is A", () => answer("start")), key("X is B", () => answer("dream")));
    const enable = (keys, on) => [...keys.children].forEach((button) => (button.disabled = !on));

    async function next() {
      enable(play, false);
      enable(say, false);
      if (trials.length === number) return finish();
      const dream = chosen[below(chosen.length)];
      trial = { dream: dream.name, x: below(2) ? "dream" : "start", plays: { a: 0, b: 0, x: 0 }, began: Date.now() };
      await hidden.load(dream);
      if (hidden.dream !== dream) return blindTest(box);
      trial.digest = (await detail(dream)).facts.find(([name]) => name === "digest of the dream")[1];
      heading.textContent = `Trial ${trials.length + 1} of ${number}: ${dream.title}. Is X the start (A) or the dream (B)?`;
      enable(play, true);
      play.firstChild.focus();
      return undefined;
    }
    function hear(which) {
      trial.plays[which] += 1;
      hidden.stop();
      hidden.seek(0);
      hidden.hear({ a: "start", b: "dream", x: trial.x }[which]);
      hidden.play();
      if (which === "x") enable(say, true);
    }
    function answer(which) {
      hidden.stop();
      const { began, ...kept } = trial;
      trials.push({ ...kept, answer: which, seconds: (Date.now() - began) / 1000 });
      next();
    }
    function finish() {
      const found = score(trials);
      const percent = (share) => `${(100 * share).toFixed(0)} %`;
      const said = `${found.right} of ${found.trials} right: ${percent(found.share)}, 95 % interval ${percent(found.interval.low)} to ${percent(found.interval.high)}. By guessing alone so many or more would be right with a chance of ${found.p.toPrecision(2)}.`;
      const careful =
        found.interval.low > 0.5
          ? "These dreams are told from their starts by ear."
          : found.interval.high < 0.5
            ? "A difference is heard, but dreams are taken for starts and starts for dreams: fewer are right than by guessing alone."
            : "The interval holds one half: this does not show that a difference is heard, nor that there is none.";
      const told = { schema: 1, study: runs[0].study, test: "ABX of listening copies, each dream's as loud as its start where peaks allow: A is the start, B the dream", ...found, list: trials };
      const href = URL.createObjectURL(new Blob([JSON.stringify(told, null, 1)], { type: "application/json" }));
      const again = make("button", { type: "button", click: () => blindTest(box) }, "Again");
      box.replaceChildren(make("p", { role: "status", tabindex: "-1" }, said), make("p", {}, careful), make("p", { class: "keys" }, make("a", { href, download: "blind-test.json" }, "Save as JSON"), again));
      $("p", box).focus();
    }
    function start() {
      number = Number($(".trials", box).value);
      box.replaceChildren(heading, play, say);
      next();
    }
    if (!$(".begin", box)) {
      const choice = make("select", { class: "trials" }, ...[8, 16, 32].map((count) => make("option", { selected: count === 16 }, String(count))));
      box.replaceChildren(make("p", {}, make("label", {}, "Trials ", choice), " ", make("button", { type: "button", class: "begin" }, "Begin the test")));
    }
    $(".begin", box).addEventListener("click", start);
  }

  /* ---- begin ---- */

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
})();
