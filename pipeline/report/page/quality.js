// How far the figures can be relied on: coverage, rows that do not count, findings, what is not known; and where the
// page comes from.

function drawQuality() {
  const lang = state.lang,
    units = scope();
  const tally = Object.fromEntries(
    data.coverages.map(([code]) => [code, units.filter((r) => r.coverage === code).length]),
  );
  put(
    "coverage-told",
    word("covered", Object.fromEntries(Object.entries(tally).map(([code, n]) => [code, number(n, lang)]))),
  );
  const lacking = units.filter((r) => r.coverage !== "full" || r.basis in data.bases);
  const columns = [
    { text: word("unit") },
    { text: word("coverage") },
    { text: word("basis") },
    { text: word("lacking") },
  ];
  put(
    "coverage-table",
    lacking.length
      ? scrolled(
          word("coverage"),
          table(
            word("coverage"),
            columns,
            lacking.map((r) => [
              unitName(r.unit),
              coverageName(r.coverage),
              r.basis ? basisName(r.basis) : "–",
              r.missing[lang] ?? "–",
            ]),
            { hide: true },
          ),
        )
      : null,
  );
  drawAccounts();
  drawFindings();
  const unknown = INDICATORS.map((code) => rate(state.unit, state.period, code)).filter(
    (one) => one !== null && one.unknown,
  );
  put(
    "unknown-list",
    unknown.length
      ? el(
          "ul",
          {},
          unknown.map((one) => el("li", {}, `${nameOf(one.code)}: ${number(one.unknown, lang)}`)),
        )
      : el("p", {}, word("none_unknown")),
  );
}

function drawAccounts() {
  const lang = state.lang,
    account = data.quality.accounts[state.period];
  const columns = [{ text: word("verdict") }, { text: word("reason") }, { text: word("rows"), number: true }];
  const body = account.rows.map(([verdict, reason, n]) => [
    data.quality.verdicts[verdict][lang],
    reason ? data.quality.reasons[reason][lang] : "–",
    number(n, lang),
  ]);
  put(
    "accounts-table",
    table(word("accounts"), columns, body, { hide: true }),
    el("p", { class: "note" }, word("files", { n: number(account.files, lang) })),
  );
}

function drawFindings() {
  const lang = state.lang,
    found = data.quality.findings;
  const inside = new Set([state.unit, ...(data.inside[state.unit] ?? [])]);
  const differ = Object.entries(data.quality.differ[state.period]).reduce(
    (sum, [unit, n]) => sum + (inside.has(Number(unit)) ? n : 0),
    0,
  );
  const list =
    found === null
      ? el("p", {}, word("other_rules"))
      : !found.length
        ? el("p", {}, word("no_findings"))
        : el(
            "ul",
            {},
            found.map(([, vi, en, n]) =>
              el("li", {}, `${[vi, en][lang]}: `, el("strong", {}, word("failures", { n: number(n, lang) }))),
            ),
          );
  put("findings-list", list, differ ? el("p", {}, word("differences", { n: number(differ, lang) })) : null);
}

function drawAbout() {
  const lang = state.lang,
    info = data.info;
  const told = [
    ["release", info.release],
    ["known", day(info.as_known ?? info.known_at, lang)],
    ["rules", `${data.rules[1 + lang]} (${data.rules[0]})`],
    ["period", data.scheme[lang]],
    ["inputs", info.inputs],
    ["program", info.code_and_declarations],
    ["version", info.motcua],
  ];
  const seal = rowOf(state.unit, state.period)?.seal;
  told.push([
    "seal",
    seal ? word("sealed_at", { ...data.seals[seal], period: data.seals[seal].period }) : unsealed(),
  ]);
  put(
    "about-list",
    told.filter(([, text]) => text).map(([key, text]) => [el("dt", {}, word(key)), el("dd", {}, text)]),
  );
}
