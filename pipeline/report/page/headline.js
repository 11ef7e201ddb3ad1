// The figures at the head of the page, each with its change against the period before and a year earlier.

function drawHeadline() {
  const counts = Object.entries(data.headline.counts).map(([code, name]) =>
    card(code, name[state.lang], shownCount(count(state.unit, state.period, code)), countNote(code), countChange, null),
  );
  const rates = data.headline.indicators.map((code) => {
    const one = rate(state.unit, state.period, code);
    return card(code, nameOf(code), shown(one), rateNote(one), rateChange, one);
  });
  put("headline-cards", counts, rates);
}

function card(code, name, value, note, change, one) {
  const lines = data.periods[state.period].against.map((then) => changeLine(code, then, change));
  return el(
    "li",
    { class: `card ${one ? one.verdict : ""}`, "data-code": code },
    el("div", { class: "card-name" }, name, " ", asks(code)),
    el("div", { class: "card-value" + (/\d/.test(value) ? "" : " words") }, value),
    el("div", { class: "card-note" }, note),
    verdictNote(one),
    el("ul", { class: "changes" }, lines),
  );
}

/** then: {place, name, told}; place is null where the page does not hold the period, told: whether the release has data. */
function changeLine(code, then, change) {
  const text = then.place !== null ? change(code, then.place) : then.told ? word("outside") : verdictName("no_data");
  return el(
    "li",
    {},
    el("span", { class: "against" }, word("compared", { period: then.name[state.lang] }), ": "),
    el("span", { class: "change" }, text),
  );
}

function countNote(code) {
  return count(state.unit, state.period, code) === null ? word("not_told") : "";
}

/** Numerator and denominator of a rate; how many dossiers stand behind a mean or median; how many are not known. */
function rateNote(one) {
  if (one === null || valueOf(one) === null)
    return one && one.unknown ? word("unknown", { n: number(one.unknown, state.lang) }) : "";
  const parts = [];
  if (isRate(one.code)) parts.push(word("of", { n: number(one.n, state.lang), d: number(one.d, state.lang) }));
  else if (one.d !== null) parts.push(word("over", { d: number(one.d, state.lang) }));
  if (one.unknown) parts.push(word("unknown", { n: number(one.unknown, state.lang) }));
  return parts.join("; ");
}

function verdictNote(one) {
  if (one === null || one.limit === null) return null;
  return el("div", { class: `verdict ${one.verdict}` }, `${one.limit[state.lang]}: ${verdictText(one)}`);
}

/** "chưa đạt, còn cần 37 hồ sơ" */
function verdictText(one) {
  const parts = [verdictName(one.verdict)];
  if (one.near) parts.push(word("near"));
  if (one.needed) parts.push(word("needed", { n: number(one.needed, state.lang) }));
  return parts.join(", ");
}

function countChange(code, then) {
  const [now, before] = [count(state.unit, state.period, code), count(state.unit, then, code)];
  if (before === undefined) return verdictName("no_data");
  if (now === null || now === undefined || before === null) return word("not_comparable");
  return moved(BigInt(now) - BigInt(before), 1n, 0, "");
}

/** The exact difference of the fractions, rounded once. */
function rateChange(code, then) {
  const [now, before] = [valueOf(rate(state.unit, state.period, code)), valueOf(rate(state.unit, then, code))];
  if (before === null) return shown(rate(state.unit, then, code));
  if (now === null) return word("not_comparable");
  const scale = isRate(code) ? 100n : 1n;
  const digits = named[code].kind === "sum" ? 0 : 2;
  return moved(
    (now[0] * before[1] - before[0] * now[1]) * scale,
    now[1] * before[1],
    digits,
    isRate(code) ? "points" : "",
  );
}

function moved(n, d, digits, unit) {
  if (!/[1-9]/.test(halfUp(n, d, digits))) return word("same");
  const size = number(n < 0n ? -n : n, state.lang, d, digits);
  return word(n > 0n ? "more" : "less", { n: unit ? word(unit, { n: size }) : size });
}
