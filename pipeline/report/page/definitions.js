// What each figure means: a button beside every name opens its definition; all of them stand at the end of the page.

/** The button that opens the definition of a figure. */
function asks(code) {
  return el(
    "button",
    {
      type: "button",
      class: "asks",
      "aria-label": word("definition_of", { name: nameOf(code) }),
      "aria-haspopup": "dialog",
      onclick: () => openDefinition(code),
    },
    "?",
  );
}

function openDefinition(code) {
  const dialog = document.getElementById("definition");
  put("definition-name", nameOf(code));
  put("definition-text", definitionOf(code));
  document.getElementById("definition-close").textContent = word("close");
  dialog.showModal();
}

/** All that is said of a figure, as a list of terms. */
function definitionOf(code) {
  const one = named[code],
    lang = state.lang;
  const told = [[word("definition"), one.definition[lang]]];
  if (one.numerator) told.push([word("numerator"), one.numerator[lang]], [word("denominator"), one.denominator[lang]]);
  told.push([word("source"), one.source[lang]], [word("mark"), one.mark[lang]]);
  for (const limit of one.limits ?? []) {
    const kinds = limit.kinds.map((kind) => (kind in data.words ? word(kind) : kind)).join(", ");
    const applies = word("applies", {
      kinds,
      within: limit.area ? word("within", { area: limit.area }) : "",
      from: day(limit.from, lang),
      to: limit.to ? word("until", { day: day(limit.to, lang) }) : "",
    });
    told.push([word("threshold"), `${limit.text[lang]}: ${applies}. ${limit.basis[lang]} [${limit.mark[lang]}]`]);
  }
  return el(
    "dl",
    {},
    told.map(([term, text]) => [el("dt", {}, term), el("dd", {}, text)]),
  );
}

function drawDefinitions() {
  put(
    "definitions-list",
    [...INDICATORS, ...MEASURES].map((code) => el("details", {}, el("summary", {}, nameOf(code)), definitionOf(code))),
  );
}
