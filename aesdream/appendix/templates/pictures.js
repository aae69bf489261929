/* What is drawn of a dream: waveforms, spectrograms, and plots over steps, time and frequency. */
"use strict";

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
    if (heat) made.append(view(make("img", { src: heat, alt: `Spectrogram: ${title}`, width: 400, height: 112 }), `0 to ${told.nyquist} Hz`));
  };
  const folder = dream.run.folder;
  const base = `${folder}dreams/${slug(dream.name)}`;
  const lanes = told.wave.length > 1 ? ", left channel above right" : "";
  if (start?.wave) row("Start", "start-wave", start.wave, `Waveform of the start${lanes}`, `${folder}${path(start.heat)}`);
  row("Dream, with the start over it", "dream-wave", told.wave, `Waveform of the dream${lanes}`, `${base}-heat.png`, start?.wave);
  if (told.change) {
    row(`Difference: what was added (${lanes && "both channels, "}largest ${told.peak})`, "change-wave", [told.change], "Waveform of the difference, on its own scale", `${base}-change.png`);
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

const plots = (told) => make("div", { class: "plots" }, ...told.curves.map(plot));

/** A curve over its axis; the numbers beside it are those of results.json. */
function plot({ title, values, of, across, from, to, first, last, smallest, largest }) {
  const low = Math.min(...values);
  const high = Math.max(...values);
  const y = (value) => 98 - (96 * (value - low)) / (high - low || 1);
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const unit = of && ` ${of}`;
  const label = `${title}, from ${from} to ${to}: first ${first}, last ${last}, between ${smallest} and ${largest}${unit}`;
  for (const [name, value] of [["viewBox", `0 0 ${values.length - 1} 100`], ["preserveAspectRatio", "none"], ["role", "img"], ["aria-label", label]]) svg.setAttribute(name, value);
  const line = document.createElementNS(svg.namespaceURI, "path");
  line.setAttribute("d", `M${values.map((value, x) => `${x} ${y(value).toFixed(2)}`).join("L")}`);
  svg.append(line);
  const range = (...texts) => make("div", { class: "range", "aria-hidden": "true" }, ...texts.map((text) => make("span", {}, text)));
  return make("figure", { class: "plot" }, make("figcaption", {}, title), range(`${smallest} to ${largest}${unit}`), svg, range(from, across, to));
}
