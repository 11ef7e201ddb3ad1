// The page as a whole: its pickers, its language, what stands below them, and printing.

const PAPER = 690; // pixels across an A4 page's text

/** Everything anew for the chosen unit, period and language. */
function drawAll() {
  drawWords();
  drawPickers();
  drawSpan();
  drawHeadline();
  drawRankingPickers();
  drawRanking();
  drawMatrix();
  drawQuality();
  drawDefinitions();
  drawAbout();
  drawCharts();
  history.replaceState(
    null,
    "",
    `#${new URLSearchParams({
      unit: data.units[state.unit][1],
      period: data.periods[state.period].key,
      lang: state.lang === EN ? "en" : "vi",
    })}`,
  );
}

function drawWords() {
  document.documentElement.lang = state.lang === EN ? "en" : "vi";
  for (const place of document.querySelectorAll("[data-word]")) place.textContent = word(place.dataset.word);
  for (const place of document.querySelectorAll("[data-label]"))
    place.setAttribute("aria-label", word(place.dataset.label));
  for (const [id, lang] of [
    ["vi", VI],
    ["en", EN],
  ])
    document.getElementById(`lang-${id}`).setAttribute("aria-pressed", state.lang === lang);
  document.title = `${unitName(state.unit)}, ${periodName(state.period)}: ${word("title")}`;
  document.getElementById("whole").textContent = unitName(0);
}

function drawPickers() {
  const present = [...rows[state.period].values()];
  const groups = [TOTAL, GROUP, UNIT].map((level) => [
    ["total", "group", "units"][level],
    present.filter((r) => r.level === level),
  ]);
  const options = groups
    .filter(([, some]) => some.length)
    .map(([key, some]) =>
      el(
        "optgroup",
        { label: word(key) },
        some.map((r) => el("option", { value: r.unit, selected: r.unit === state.unit }, unitName(r.unit))),
      ),
    );
  if (!rows[state.period].has(state.unit))
    options.push(el("option", { value: state.unit, selected: true }, unitName(state.unit)));
  put("pick-unit", options);
  put(
    "pick-period",
    data.periods
      .map((_, period) => el("option", { value: period, selected: period === state.period }, periodName(period)))
      .reverse(),
  );
}

/** What is said of figures that are of no seal: there is none, or it is passed over. */
function unsealed() {
  const seal = data.periods[state.period].passed_over;
  return seal ? word("passed_over", { seal }) : word("not_sealed");
}

/** Whose figures these are: days, cut-off, coverage, basis, seal; and what is missing. */
function drawSpan() {
  const lang = state.lang,
    one = data.periods[state.period],
    row = rowOf(state.unit, state.period);
  const parts = [word("span", { from: day(one.from, lang), to: day(one.to, lang) })];
  if (row?.asOf) parts.push(word("as_of", { day: day(row.asOf, lang) }));
  const coverage = coverageName(row?.coverage ?? "no_data");
  parts.push(row && row.coverage !== "no_data" ? word("data", { coverage }) : coverage);
  if (row?.basis) parts.push(basisName(row.basis));
  if (row && row.coverage !== "no_data") parts.push(row.seal ? word("sealed", { seal: row.seal }) : unsealed());
  put("span", el("strong", {}, `${unitName(state.unit)}, ${periodName(state.period)}`), `: ${parts.join("; ")}.`);
  const notes = [];
  if (!rows[state.period].has(state.unit)) notes.push(word("not_then", { unit: unitName(state.unit) }));
  if (row?.merged) notes.push(word("merged"));
  if (row?.missing[lang]) notes.push(word("missing", { missing: row.missing[lang] }));
  if (!data.rules[3]) notes.push(`${word("rules")}: ${data.rules[1 + lang]} (${data.rules[0]})`);
  put(
    "notes",
    notes.map((text) => el("p", {}, text)),
  );
}

/** After a choice: all figures, and a word to those who hear the page. */
function chosen() {
  drawAll();
  document.getElementById("live").textContent = word("shown", {
    unit: unitName(state.unit),
    period: periodName(state.period),
  });
}

/** The choice that the address names, so that a link or a reload shows the same; what it does not know is left. */
function fromAddress() {
  const asked = new URLSearchParams(location.hash.slice(1));
  const unit = data.units.findIndex(([, id]) => id === asked.get("unit"));
  const period = data.periods.findIndex((p) => p.key === asked.get("period"));
  if (unit >= 0) state.unit = unit;
  if (period >= 0) state.period = period;
  if (["vi", "en"].includes(asked.get("lang"))) state.lang = asked.get("lang") === "en" ? EN : VI;
}

function listen() {
  const on = (id, act) => document.getElementById(id).addEventListener("change", (event) => act(event.target.value));
  on("pick-unit", (value) => {
    state.unit = Number(value);
    chosen();
  });
  on("pick-period", (value) => {
    state.period = Number(value);
    chosen();
  });
  on("ranking-indicator", (value) => {
    state.indicator = value;
    state.highFirst = usualOrder(value);
    drawRankingPickers();
    drawRanking();
  });
  on("ranking-order", (value) => {
    state.highFirst = value === "high";
    drawRanking();
  });
  for (const [id, lang] of [
    ["vi", VI],
    ["en", EN],
  ]) {
    document.getElementById(`lang-${id}`).addEventListener("click", () => {
      state.lang = lang;
      chosen();
    });
  }
  document
    .getElementById("definition-close")
    .addEventListener("click", () => document.getElementById("definition").close());
  // Charts do not shrink with the paper by themselves; closed definitions would not be printed.
  const openAll = (open) =>
    document.querySelectorAll("#definitions-list details").forEach((one) => {
      one.open = open;
    });
  addEventListener("beforeprint", () => {
    paper = PAPER;
    drawCharts();
    openAll(true);
  });
  addEventListener("afterprint", () => {
    paper = null;
    drawCharts();
    openAll(false);
  });
  let width = innerWidth,
    waiting;
  addEventListener("resize", () => {
    if (innerWidth === width) return; // a phone's bars come and go
    width = innerWidth;
    clearTimeout(waiting);
    waiting = setTimeout(drawCharts, 150);
  });
  document.addEventListener("DOMContentLoaded", drawCharts); // Plotly stands behind this script: figures come first
}

fromAddress();
state.indicator = firstRanked();
state.highFirst = usualOrder(state.indicator);
listen();
drawAll();
