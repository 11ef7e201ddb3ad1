// The charts over the periods: counts and rates of the chosen unit.

function drawTrend() {
  const counts = data.charts.trend.shows,
    rates = data.charts.rates_over_time.shows,
    { unit, lang } = state;
  const periods = data.periods.map((_, period) => period);
  const few = periods.length <= 6,
    names = periods.map((p) => (few ? broken(periodName(p), 9) : esc(periodName(p))));
  const some = periods.some((p) => count(unit, p, "total"));
  const bars = some
    ? counts.map((code) => ({
        type: "bar",
        name: esc(nameOf(code)),
        marker: { color: COLOURS[code] },
        x: names,
        y: periods.map((p) => count(unit, p, code) ?? null),
        text: periods.map((p) => shownCount(count(unit, p, code))),
        textposition: "none",
        hovertemplate: `%{x}, ${esc(nameOf(code))}: %{text}<extra></extra>`,
      }))
    : [];
  const symbols = ["circle", "square", "diamond", "triangle-up"];
  const lines = periods.some((p) => rates.some((code) => valueOf(rate(unit, p, code))))
    ? rates.map((code, at) => {
        const values = periods.map((p) => rate(unit, p, code));
        return {
          type: "scatter",
          mode: "lines+markers",
          name: esc(nameOf(code)),
          line: { color: COLOURS[code], width: 2 },
          marker: { symbol: symbols[at], size: 8 },
          x: names,
          y: values.map((one) => (valueOf(one) ? asFloat(valueOf(one)) * 100 : null)),
          text: values.map(shown),
          hovertemplate: `%{x}, ${esc(nameOf(code))}: %{text}<extra></extra>`,
        };
      })
    : [];
  const xaxis = {
    type: "category",
    categoryorder: "array",
    categoryarray: names,
    range: [-0.5, Math.max(names.length, 4) - 0.5],
    tickangle: few ? 0 : -45,
    tickfont: { size: 12 },
  };
  const told = (codes, value) =>
    codes.map((code) => `${nameOf(code)}, ${periodName(state.period)}: ${value(code)}`).join("; ");
  const columns = (codes) => [{ text: word("period") }, ...codes.map((code) => ({ text: nameOf(code), number: true }))];
  const body = (codes, value) =>
    periods.map((p) => ({
      attributes: { class: p === state.period ? "chosen" : null },
      cells: [periodName(p), ...codes.map((code) => value(p, code))],
    }));
  draw(
    "trend",
    some
      ? told(counts, (code) => shownCount(count(unit, state.period, code)))
      : noneTold(periods.map((period) => ({ unit, period }))),
    bars,
    { barmode: "group", xaxis: { ...xaxis, showgrid: false }, yaxis: { tickformat: ",d", rangemode: "tozero" } },
    scrolled(
      word("trend"),
      table(
        data.charts.trend.name[lang],
        columns(counts),
        body(counts, (p, code) => shownCount(count(unit, p, code))),
      ),
    ),
  );
  draw(
    "rates",
    lines.length
      ? told(rates, (code) => shown(rate(unit, state.period, code)))
      : noneTold(periods.map((period) => ({ unit, period }))),
    lines,
    { xaxis, yaxis: { ticksuffix: " %", range: [0, 104] } },
    scrolled(
      word("trend"),
      table(
        data.charts.rates_over_time.name[lang],
        columns(rates),
        body(rates, (p, code) => shown(rate(unit, p, code))),
      ),
    ),
  );
  const merged = periods.some((p) => rowOf(unit, p)?.merged);
  document.getElementById("trend-note").textContent = merged ? word("merged") : "";
}

function drawCharts() {
  for (const each of [drawFlow, drawTimeliness, drawDays, drawTrend]) each();
}
