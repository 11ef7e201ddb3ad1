// The table of all units and indicators; sorted by the indicator whose name is pressed.

function drawMatrix() {
  const sums = [...rows[state.period].values()].filter(
    (r) => r.level !== UNIT && (r.unit === state.unit || r.level === TOTAL),
  );
  const units = scope();
  if (state.sort) units.sort((a, b) => sortedBy(a, b));
  const columns = [
    { text: word("unit") },
    ...INDICATORS.map((code) => ({
      number: true,
      sorted: state.sort?.code === code ? (state.sort.up ? "ascending" : "descending") : "none",
      node: sorter(code),
    })),
  ];
  const body = [...sums, ...units].map((row) => ({
    attributes: {
      class: [row.level !== UNIT ? "sum" : "", row.unit === state.unit ? "chosen" : ""].join(" ").trim() || null,
      "data-unit": row.unit,
    },
    cells: [unitName(row.unit), ...INDICATORS.map((code) => matrixCell(rate(row.unit, state.period, code)))],
  }));
  const caption = `${word("matrix")}, ${periodName(state.period)}`;
  put("matrix-table", scrolled(caption, table(caption, columns, body, { class: "matrix", hide: true })));
}

function sorter(code) {
  // on paper a header is printed again on each page, which browsers do with text and not with buttons
  const onPaper = el("span", { class: "on-paper" }, nameOf(code));
  const button = el(
    "button",
    {
      type: "button",
      class: "sorter",
      "data-code": code,
      onclick: () => {
        state.sort = { code, up: state.sort?.code === code ? !state.sort.up : false };
        drawMatrix();
        document.querySelector(`.sorter[data-code="${code}"]`).focus();
      },
    },
    nameOf(code),
  );
  return [button, onPaper];
}

function sortedBy(a, b) {
  const [x, y] = [a, b].map((row) => valueOf(rate(row.unit, state.period, state.sort.code)));
  if (x === null || y === null) return (x === null) - (y === null);
  return compare(x, y) * (state.sort.up ? 1 : -1);
}

function matrixCell(one) {
  const value = one === null ? null : valueOf(one);
  const mark = one && one.limit ? ({ met: "✓", not_met: "✗" }[one.verdict] ?? "") : "";
  const note = value && isRate(one.code) ? `${number(one.n, state.lang)}/${number(one.d, state.lang)}` : null;
  return el(
    "td",
    { class: `n ${value ? (one.limit ? one.verdict : "") : "words"}`.trim(), title: note },
    shown(one),
    mark ? el("span", { "aria-hidden": "true" }, ` ${mark}${one.near ? "≈" : ""}`) : null,
    mark ? quiet(` ${verdictName(one.verdict)}`) : null,
  );
}
