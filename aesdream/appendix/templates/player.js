/* Hearing: a dream and its start, of which one is heard at a time. */
"use strict";

/** The volume at which a copy is as loud as another, where it is the louder one; levels are in dB, null where nothing was measured. */
const turnedDown = (own, other) => (own === null || other === null ? 1 : Math.min(1, 10 ** ((other - own) / 20)));

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
    this.start = startOf(dream, told);
    this.seconds = told.seconds;
    const { start: ofStart, dream: ofDream } = told.levels;
    this.tracks.start.volume = turnedDown(ofStart, ofDream);
    this.tracks.dream.volume = turnedDown(ofDream, ofStart);
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
