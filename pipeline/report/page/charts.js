// The charts of one period: flow, timeliness, processing days. Which counts stand where, and in which colour, is declared
// (declare/charts.toml); the pictures of the document are made of the same (report/figures.py).

/** A column of the flow: its measures that arose and its size; null where a summary does not tell it. */
function partsOf(step, unit, period) {
  const told = step.counts.map((code) => [code, count(unit, period, code)]);
  if (told.every(([, n]) => n !== null)) return [told.filter(([, n]) => n), told.reduce((sum, [, n]) => sum + n, 0)];
  const whole = step.whole ? count(unit, period, step.whole) : null;
  return whole !== null ? [[[step.whole, whole]], whole] : [told.filter(([, n]) => n), null];
}

function drawFlow() {
  const steps = data.charts.flow.steps,
    { unit, period, lang } = state;
  if (count(unit, period, "total") === undefined) {
    draw("flow", verdictName("no_data"), [], {}, []);
    return;
  }
  const traces = [],
    notes = [],
    lines = [];
  let level = 0;
  for (const step of steps) {
    const [parts, size] = partsOf(step, unit, period),
      name = broken(step.name[lang], 12);
    const height = parts.reduce((sum, [, n]) => sum + n, 0);
    let base = step.sign > 0 ? level : step.sign < 0 ? level - height : 0;
    level += step.sign * height;
    for (const [code, n] of parts) {
      traces.push({
        type: "bar",
        x: [name],
        y: [n],
        base: [base],
        name: esc(nameOf(code)),
        marker: { color: COLOURS[code] },
        text: number(n, lang),
        textposition: "inside",
        insidetextanchor: "middle",
        textangle: 0,
        hovertemplate: `${esc(nameOf(code))}: ${number(n, lang)}<extra></extra>`,
      });
      base += n;
    }
    notes.push({ x: name, y: base, text: `<b>${number(size, lang)}</b>`, showarrow: false, yshift: 11 });
    lines.push([
      step.name[lang],
      number(size, lang),
      step.counts.map((code) => `${nameOf(code)} ${shownCount(count(unit, period, code))}`).join("; "),
    ]);
  }
  const total = count(unit, period, "total");
  lines.push([nameOf("total"), number(total, lang), ""]);
  const told = total ? lines.map(([name, n]) => `${name}: ${n}`).join("; ") : verdictName("nothing_arisen");
  const columns = [{ text: word("step") }, { text: word("count"), number: true }, { text: word("part") }];
  draw(
    "flow",
    told,
    total ? traces : [],
    {
      barmode: "overlay",
      annotations: notes,
      uniformtext: { minsize: 10, mode: "hide" },
      height: narrow("flow") ? 520 : 380,
      xaxis: {
        categoryorder: "array",
        categoryarray: steps.map((s) => broken(s.name[lang], 12)),
        range: [-0.5, steps.length - 0.5],
        showgrid: false,
        tickangle: narrow("flow") ? -40 : 0,
        tickfont: { size: 12 },
      },
      yaxis: { range: [0, total * 1.12], tickformat: ",d" },
    },
    table(word("flow"), columns, lines, { hide: true }),
  );
}

/** What a chart of parts has as its rows: the units of a sum in the period, else the periods of the one unit. */
function parted() {
  if (isSum(state.unit))
    return scope().map((row) => ({ unit: row.unit, period: state.period, name: unitName(row.unit) }));
  return data.periods
    .map((_, period) => ({ unit: state.unit, period, name: periodName(period) }))
    .slice(0, state.period + 1);
}

/** Rows sorted best first are cut to the last ones that a chart has room for; the table has all. */
function cut(lines, most, noteId) {
  const over = isSum(state.unit) && lines.length > most;
  document.getElementById(noteId).textContent = over ? word("last_of", { n: most, all: lines.length }) : "";
  return over ? lines.slice(-most) : lines;
}

const sideways = (lines) => ({
  height: Math.max(190, 140 + 22 * lines.length),
  yaxis: {
    autorange: "reversed",
    showgrid: false,
    type: "category",
    categoryorder: "array",
    categoryarray: lines.map((l) => esc(l.name)),
  },
});

function drawTimeliness() {
  const codes = data.charts.timeliness.shows,
    lang = state.lang;
  const lines = parted().map((l) => ({
    ...l,
    late: count(l.unit, l.period, "resolved_late"),
    all: count(l.unit, l.period, "resolved"),
  }));
  const known = lines.filter((l) => l.all);
  if (isSum(state.unit))
    known.sort((a, b) => compare([BigInt(a.late ?? 0), BigInt(a.all)], [BigInt(b.late ?? 0), BigInt(b.all)]));
  const drawn = cut(isSum(state.unit) ? known : lines, data.charts.timeliness.most, "timeliness-note");
  const traces = known.length
    ? codes.map((code) => ({
        type: "bar",
        orientation: "h",
        name: esc(nameOf(code)),
        marker: { color: COLOURS[code] },
        y: drawn.map((l) => esc(l.name)),
        x: drawn.map((l) => count(l.unit, l.period, code) ?? null),
        text: drawn.map((l) => shownCount(count(l.unit, l.period, code))),
        textposition: "none",
        hovertemplate: `%{y}, ${esc(nameOf(code))}: %{text}<extra></extra>`,
      }))
    : [];
  const columns = [
    { text: isSum(state.unit) ? word("unit") : word("period") },
    ...[...codes, "resolved"].map((code) => ({ text: nameOf(code), number: true })),
  ];
  const body = lines.map((l) => [
    l.name,
    ...[...codes, "resolved"].map((code) => shownCount(count(l.unit, l.period, code))),
  ]);
  const late = known.filter((l) => l.late);
  const told = !known.length
    ? noneTold(lines)
    : `${nameOf("resolved_late")}: ` +
      (late.length
        ? late
            .slice(-5)
            .map((l) => `${l.name} ${number(l.late, lang)} / ${number(l.all, lang)}`)
            .join("; ")
        : known.some((l) => l.late === null)
          ? "–"
          : "0");
  draw(
    "timeliness",
    told,
    traces,
    { ...sideways(drawn), barmode: "stack", barnorm: "percent", xaxis: { ticksuffix: " %", range: [0, 100] } },
    scrolled(word("timeliness"), table(word("timeliness"), columns, body, { hide: true })),
  );
}

/** Why a chart is empty. */
const noneTold = (lines) =>
  verdictName(lines.some((l) => count(l.unit, l.period, "total") !== undefined) ? "nothing_arisen" : "no_data");

function drawDays() {
  const codes = data.charts.processing_days.shows;
  const lines = parted().map((l) => ({ ...l, rates: codes.map((code) => rate(l.unit, l.period, code)) }));
  const known = lines.filter((l) => valueOf(l.rates[0]) !== null);
  if (isSum(state.unit)) known.sort((a, b) => compare(valueOf(a.rates[0]), valueOf(b.rates[0])));
  const drawn = cut(isSum(state.unit) ? known : lines, data.charts.processing_days.most, "days-note");
  const traces = known.length
    ? codes.map((code, at) => ({
        type: "scatter",
        mode: "markers",
        name: esc(nameOf(code)),
        marker: { color: COLOURS[code], size: 10, symbol: at ? "diamond" : "circle" },
        x: drawn.map((l) => (valueOf(l.rates[at]) ? asFloat(valueOf(l.rates[at])) : null)),
        y: drawn.map((l) => esc(l.name)),
        text: drawn.map((l) => shown(l.rates[at])),
        hovertemplate: `%{y}, ${esc(nameOf(code))}: %{text}<extra></extra>`,
      }))
    : [];
  const columns = [
    { text: isSum(state.unit) ? word("unit") : word("period") },
    ...codes.map((code) => ({ text: nameOf(code), number: true })),
  ];
  const body = lines.map((l) => [l.name, ...l.rates.map(shown)]);
  const told = known.length
    ? codes.map((code) => `${nameOf(code)}: ${shown(rate(state.unit, state.period, code))}`).join("; ")
    : noneTold(lines);
  draw(
    "days",
    told,
    traces,
    { ...sideways(drawn), xaxis: { rangemode: "tozero", title: { text: word("calendar_days"), font: { size: 12 } } } },
    scrolled(word("days"), table(word("days"), columns, body, { hide: true })),
  );
}
