// Figures as people read them, by the same rules as report/display.py: rounded once, half-up, from whole numbers, so
// that the page and every other output agree to the digit. Whole numbers are BigInt: no rate passes through a float.

const VI = 0,
  EN = 1;

/** n / d rounded half-up (away from zero) to that many decimals, as "-12.35"; n and d are whole numbers, d > 0. */
function halfUp(n, d, digits) {
  const top = BigInt(n) * 10n ** BigInt(digits),
    bottom = BigInt(d);
  const size = top < 0n ? -top : top;
  let whole = size / bottom;
  if ((size % bottom) * 2n >= bottom) whole += 1n;
  const text = whole.toString().padStart(digits + 1, "0");
  const cut = text.length - digits;
  return (top < 0n && whole > 0n ? "-" : "") + text.slice(0, cut) + (digits ? "." + text.slice(cut) : "");
}

/** "8134.5" as 8.134,5 (vi) or 8,134.5 (en). */
function grouped(text, lang) {
  const [whole, part] = text.split(".");
  const thousands = whole.replace(/\B(?=(\d{3})+$)/g, lang === VI ? "." : ",");
  return part === undefined ? thousands : thousands + (lang === VI ? "," : ".") + part;
}

/** A whole number or a fraction with thousands separated; a dash where there is none. */
function number(n, lang, d = 1, digits = 0) {
  return n === null || n === undefined ? "–" : grouped(halfUp(n, d, digits), lang);
}

/** 99,95 %, without separated thousands; nothing arisen where the denominator is 0. */
function percent(n, d, lang) {
  if (!d) return verdictName("nothing_arisen");
  const text = halfUp(BigInt(n) * 100n, d, 2);
  return (lang === VI ? text.replace(".", ",") : text) + " %";
}

/** "2.5" as the fraction [25n, 10n]. */
function fractionOf(text) {
  const [whole, part = ""] = text.split(".");
  return [BigInt(whole + part), 10n ** BigInt(part.length)];
}

/** 14/09/2023 (vi), 2023-09-14 (en); a time behind it stays. */
function day(text, lang) {
  if (!text) return "–";
  const [date, time] = text.split(" ");
  const shown = lang === VI ? date.split("-").reverse().join("/") : date;
  return time ? `${shown} ${time.slice(0, 8)}` : shown;
}
