// Units ranked by an indicator against the threshold in force.

function drawRanking() {
  const code = state.indicator;
  const all = scope().map((row) => ({ row, one: rate(row.unit, state.period, code) }));
  const some = all.filter((u) => valueOf(u.one) !== null);
  const none = all.filter((u) => valueOf(u.one) === null);
  some.sort((a, b) => compare(valueOf(a.one), valueOf(b.one)) * (state.highFirst ? -1 : 1));
  const longest = Math.max(isRate(code) ? 100 : 0, ...some.map((u) => size(u.one)));
  let rank = 0;
  const body = [...some, ...none].map((u, at) => {
    const value = valueOf(u.one);
    if (value && (at === 0 || compare(value, valueOf(some[at - 1].one)) !== 0)) rank = at + 1;
    return rankedLine(u, value ? String(rank) : "–", longest);
  });
  const judged = all.filter((u) => u.one !== null && u.one.limit !== null);
  const tally = (verdict) => judged.filter((u) => u.one.verdict === verdict).length;
  put(
    "ranking-told",
    judged.length
      ? word("met_of", { met: tally("met"), missed: tally("not_met"), all: judged.length })
      : word("no_limit"),
    " ",
    asks(code),
  );
  const columns = [
    { text: word("rank"), number: true },
    { text: word("unit") },
    { text: word("value"), number: true },
    { node: quiet(word("value")) },
    { text: word("numerator"), number: true },
    { text: word("denominator"), number: true },
    { text: word("threshold") },
    { text: word("verdict") },
    { text: word("needed_head"), number: true },
  ];
  const caption = `${word("ranking")}: ${nameOf(code)}, ${periodName(state.period)}`;
  put("ranking-table", scrolled(caption, table(caption, columns, body, { named: 1, class: "ranked", hide: true })));
}

const size = (one) => asFloat(valueOf(one)) * (isRate(one.code) ? 100 : 1);

function rankedLine({ row, one }, rank, longest) {
  const value = one === null ? null : valueOf(one);
  const bar = el("td", { class: "bar", "aria-hidden": "true" });
  if (value) {
    bar.append(
      el("span", { class: `fill ${one.verdict}`, style: { width: `${(size(one) / (longest || 1)) * 100}%` } }),
    );
    if (one.limit) bar.append(el("span", { class: "line", style: { left: `${(one.limit[2] / longest) * 100}%` } }));
  }
  const limited = one !== null && one.limit !== null;
  return {
    attributes: { class: row.unit === state.unit ? "chosen" : null, "data-unit": row.unit },
    cells: [
      rank,
      unitName(row.unit),
      shown(one),
      bar,
      one ? number(one.n, state.lang) : "–",
      one ? number(one.d, state.lang) : "–",
      limited ? one.limit[state.lang] : "–",
      verdictCell(one),
      one && one.needed ? number(one.needed, state.lang) : "–",
    ],
  };
}

function verdictCell(one) {
  if (one === null || one.limit === null) return "–";
  return el(
    "span",
    { class: `tag ${one.verdict}` },
    one.near ? `${verdictName(one.verdict)}, ${word("near")}` : verdictName(one.verdict),
  );
}

/** The indicator that is ranked at first: the first with a threshold in force, else the first declared. */
function firstRanked() {
  const judged = INDICATORS.find((code) => scope().some((row) => rate(row.unit, state.period, code).limit !== null));
  return judged ?? data.charts.ranking.shows[0];
}

/** The choices of the ranking: every indicator, and which end comes first. */
function drawRankingPickers() {
  put(
    "ranking-indicator",
    INDICATORS.map((code) => el("option", { value: code, selected: code === state.indicator }, nameOf(code))),
  );
  put(
    "ranking-order",
    [
      ["high", "high_first"],
      ["low", "low_first"],
    ].map(([value, key]) => el("option", { value, selected: (value === "high") === state.highFirst }, word(key))),
  );
}

/** Highest first, but where a threshold says that less is better. */
const usualOrder = (code) => !scope().some((row) => rate(row.unit, state.period, code).limit?.[3]);
