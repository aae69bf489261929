/* Addresses: #conv4/17/post, with model, sweep and run before it and the start behind it where that alone says too little. */
"use strict";

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
  if (named.length) show(named[0], named.length);
  else if (dialog.open) dialog.close();
  if (!named.length && hash.includes("/") && query === undefined) $("#count").textContent = `No dream is called ${hash}.`;
}
