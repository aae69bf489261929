/* The blind test: is X the start, or the dream? */
"use strict";

const ABX =
  "ABX of listening copies: A is the start, B the dream. rms_db: RMS of each copy as decoded, dB relative to full scale; volumes: at which they were played; " +
  "difference_db: by how much the dream was then the louder one";

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

/** How loud both sounds of a trial are: their copies as decoded, the volumes at which they are played, and what difference that leaves. */
function loudness(levels) {
  const volumes = { start: hidden.tracks.start.volume, dream: hidden.tracks.dream.volume };
  const played = (which) => levels[which] + 20 * Math.log10(volumes[which]);
  const known = levels.start !== null && levels.dream !== null;
  return { rms_db: levels, volumes, difference_db: known ? Number((played("dream") - played("start")).toFixed(3)) : null };
}

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
    Object.assign(trial, loudness((await detail(dream)).levels));
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
    const told = { schema: 1, study: runs[0].study, test: ABX, ...found, list: trials };
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
