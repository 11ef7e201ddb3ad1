// Words in the chosen language, and small builders of elements. All text goes in as text, never as markup: names of
// units come from files and may say anything.

/** A word of the page, with {…} filled in. */
function word(key, fill = {}) {
  return data.words[key][state.lang].replace(/\{(\w+)\}/g, (_, name) => fill[name]);
}
const nameOf = (code) => named[code].name[state.lang];
const verdictName = (code) => data.verdicts.find((v) => v[0] === code)[1 + state.lang];
const coverageName = (code) => data.coverages.find((c) => c[0] === code)[1 + state.lang];
const basisName = (code) => (code in data.bases ? data.bases[code][state.lang] : word("from_registers"));

/** An element with attributes and children; a child that is a string is text, null is nothing. */
function el(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [key, value] of Object.entries(attributes)) {
    if (key === "onclick") made.addEventListener("click", value);
    else if (key === "style") Object.assign(made.style, value);
    else if (value !== null && value !== false) made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.flat(Infinity).filter((c) => c !== null && c !== undefined));
  return made;
}

const put = (id, ...children) =>
  document.getElementById(id).replaceChildren(...children.flat(Infinity).filter((c) => c !== null));
const quiet = (text) => el("span", { class: "sr" }, text);

/** A table: columns [{text, number, node}], rows of cells (text, or an element); the first cell names its row. */
function table(caption, columns, body, options = {}) {
  const head = columns.map((c) =>
    el("th", { scope: "col", class: c.number ? "n" : null, "aria-sort": c.sorted ?? null }, c.node ?? c.text),
  );
  const lines = body.map((line) =>
    el(
      "tr",
      line.attributes ?? {},
      (line.cells ?? line).map((cell, at) => {
        const number = columns[at].number ? "n" : null;
        if (cell instanceof HTMLTableCellElement) return cell;
        return at === (options.named ?? 0)
          ? el("th", { scope: "row", class: number }, cell)
          : el("td", { class: number }, cell);
      }),
    ),
  );
  return el(
    "table",
    { class: options.class ?? null },
    el("caption", { class: options.hide ? "sr" : null }, caption),
    el("thead", {}, el("tr", {}, head)),
    el("tbody", {}, lines),
  );
}

/** A table that may be wider or longer than its place: it scrolls, also by keyboard. */
const scrolled = (label, made) =>
  el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": label }, made);
