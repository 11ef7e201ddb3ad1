// What the page holds, and how to ask for it. Every figure is read as the release told it; verdicts are never judged here.

const data = JSON.parse(document.getElementById("data").textContent);
const state = {
  unit: 0,
  period: data.periods.length - 1,
  lang: document.documentElement.lang === "en" ? EN : VI,
  indicator: null,
  highFirst: true,
  sort: null,
};

const MEASURES = data.measures.map((m) => m.code);
const INDICATORS = data.indicators.map((i) => i.code);
const named = Object.fromEntries([...data.measures, ...data.indicators].map((d) => [d.code, d]));
const TOTAL = 0,
  GROUP = 1,
  UNIT = 2;

const rows = data.rows.map(
  (all) =>
    new Map(
      all.map((r) => [
        r[0],
        {
          unit: r[0],
          level: r[1],
          asOf: r[2],
          coverage: data.coverages[r[3]][0],
          missing: [r[4], r[5]],
          basis: r[6],
          seal: r[7],
          counts: r[8],
          rates: r[9],
          merged: false,
        },
      ]),
    ),
);
const today = data.today.map(
  (all) =>
    new Map(
      all.map((r) => [
        r[0],
        {
          unit: r[0],
          level: UNIT,
          asOf: r[1],
          coverage: data.coverages[r[2]][0],
          missing: [null, null],
          basis: r[3],
          seal: null,
          counts: r[4],
          rates: null,
          merged: true,
        },
      ]),
    ),
);

/** The row of a unit in a period; the one merged by today's tree where the unit did not stand then; null: neither. */
const rowOf = (unit, period) => rows[period]?.get(unit) ?? today[period]?.get(unit) ?? null;

/** A count: undefined where there is no data of the unit, null where a summary does not tell it. */
function count(unit, period, measure) {
  const row = rowOf(unit, period);
  return row === null || row.counts === null ? undefined : row.counts[MEASURES.indexOf(measure)];
}

/** An indicator of a unit in a period; null where the unit did not stand then. */
function rate(unit, period, code) {
  const found = rows[period]?.get(unit)?.rates[INDICATORS.indexOf(code)];
  if (found === undefined) return null;
  const [verdict, n = null, d = null, unknown = 0, limit = null, needed = null, near = 0, value = null] =
    typeof found === "number" ? [found] : found;
  return {
    code,
    verdict: data.verdicts[verdict][0],
    n,
    d,
    unknown: unknown ?? 0,
    limit: limit === null ? null : data.limits[limit],
    needed,
    near: Boolean(near),
    text: value,
  };
}

/** The exact value as [n, d] with d > 0, or null where nothing arose or there is no data. */
function valueOf(one) {
  if (one === null || one.verdict === "no_data" || one.verdict === "nothing_arisen") return null;
  const kind = named[one.code].kind;
  if (kind === "median") return fractionOf(one.text);
  return kind === "sum" ? [BigInt(one.n), 1n] : [BigInt(one.n), BigInt(one.d)];
}

const compare = ([a, b], [c, d]) => (a * d < c * b ? -1 : a * d > c * b ? 1 : 0);
const asFloat = ([n, d]) => Number(n) / Number(d);
const isRate = (code) => ["rate", "count_ratio"].includes(named[code].kind);

/** The value as people read it. */
function shown(one) {
  if (one === null) return verdictName("no_data");
  const value = valueOf(one);
  if (value === null) return verdictName(one.verdict);
  if (isRate(one.code)) return percent(value[0], value[1], state.lang);
  return number(value[0], state.lang, value[1], named[one.code].kind === "sum" ? 0 : 2);
}

/** A count as people read it. */
const shownCount = (n) => (n === undefined ? verdictName("no_data") : number(n, state.lang));

// ---- which units

/** The units that a choice is about: those inside a sum; of a single unit all of its whole, to be seen among them. */
function scope() {
  const inside = data.inside[isSum(state.unit) ? state.unit : 0] ?? [];
  const within = new Set(inside);
  return [...rows[state.period].values()].filter(
    (r) => r.level === UNIT && (within.has(r.unit) || r.unit === state.unit),
  );
}

function isSum(unit) {
  const row = rowOf(unit, state.period) ?? data.rows.map((_, p) => rowOf(unit, p)).find(Boolean);
  return row !== null && row !== undefined && row.level !== UNIT;
}

const unitName = (unit) => data.units[unit][0];
const periodName = (period) => data.periods[period].name[state.lang];
