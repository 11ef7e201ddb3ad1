"""An explanation in words on the screen, and as one plain object for CSV and JSON.

Not here: what it says (explain.py), tables and number formats (report/).
"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

from rich.console import Console
from rich.text import Text as Line

from pipeline.audit.explain import Explained
from pipeline.declare.definitions import OF_A_COLUMN, definition, value_in_words
from pipeline.declare.figures import labels
from pipeline.declare.reported import label_of
from pipeline.declare.text import Text
from pipeline.report.display import BASIS, COVERAGE, OPERATOR, VERDICT, day, number, percent
from pipeline.report.screen import print_table

Row = dict[str, Any]
SHOWN = 200  # rows of a list on the screen; all of them go to CSV and JSON
PART = {
    "numerator": Text("tử số", "numerator"),
    "both": Text("tử số và mẫu số", "numerator and denominator"),
    "rest": Text("mẫu số", "denominator"),
    "counted": Text("được tính", "counted"),
    "unknown": Text("không rõ", "unknown"),
    "reported": Text("bảng tổng hợp", "summary"),
}


# ---- as data


def facts(told: Explained, lang: str) -> Row:
    """The explanation as one object."""
    f, cell = told.figure, told.cell
    return {
        "figure": f.code,
        "kind": f.kind,
        "label": f.label[lang],
        "definition": definition(f)[lang],
        "source": f.source[lang],
        "mark": f.mark,
        "predicate_numerator": f.numerator,
        "predicate_denominator": f.denominator or None,
        "predicate_unknown": f.unknown or None,
        "column": f.column,
        "period": told.period.key,
        "period_from": told.period.start,
        "period_to": told.period.end,
        "as_of": told.frame["as_of"],
        "coverage": told.frame["coverage"],
        "missing": told.frame[f"missing_{lang}"],
        "basis": told.frame["basis"],
        "seal": told.frame["seal"],
        "unit_code": told.frame["unit_code"],
        "unit": told.frame["unit"],
        "level": told.frame["level"],
        "field": _field_words(told, lang) if cell.of_field else None,
        **told.numbers,
        "threshold_basis": told.threshold and told.threshold[f"basis_{lang}"],
        "threshold_mark": told.threshold and told.threshold["mark"],
        "adds_up": told.adds_up,
        "sql": told.sql,
        "labels": told.labels,
        "files": told.files,
        "reported": [{k: r[k] for k in REPORTED} for r in told.reported],
    }


REPORTED = ("unit_code", "unit", "field", "measure", "value", "numerator", "denominator", "unknown", "source", "file",
            "sheet", "row")  # fmt: skip


def _field_words(told: Explained, lang: str) -> str:
    return told.cell.field if told.cell.field is not None else value_in_words("field", None)[lang]


# ---- in words


def tell(told: Explained, database: str, lang: str, screen: Console) -> None:
    """The explanation on the screen. database: the published file that the SQL is for."""
    f, frame = told.figure, told.frame
    screen.print(f"{f.label[lang]} ({f.code})", style="bold")
    where = [f"{frame['unit']} ({frame['unit_code']})", f"{told.period.label[lang]}: {_span(told, lang)}"]
    if told.cell.of_field:
        where.append(f"{Text('lĩnh vực', 'field')[lang]}: {_field_words(told, lang)}")
    if told.cell.today:
        where.append(Text("theo đơn vị hiện nay", "on today's tree")[lang])
    screen.print(" · ".join(where))
    _line(screen, Text("Số liệu", "Coverage")[lang], _covered(told, lang))
    screen.print()
    _line(screen, Text("Kết quả", "Figure")[lang], _value(told, lang))
    _line(screen, Text("Ngưỡng, kết luận", "Threshold, verdict")[lang], _verdict(told, lang))
    screen.print()
    _line(screen, Text("Định nghĩa", "Definition")[lang], definition(f)[lang])
    _line(screen, Text("Căn cứ", "Source")[lang], f"{f.source[lang]} [{f.mark}]")
    _line(screen, Text("Vị từ", "Predicate")[lang], f.numerator)
    if f.denominator:
        _line(screen, Text("Vị từ của mẫu số", "Predicate of the denominator")[lang], f.denominator)
    if f.unknown:
        _line(screen, Text("Vị từ của không rõ", "Predicate of the unknown")[lang], f.unknown)
    if told.sql is None:
        return
    _tell_rows(told, lang, screen)
    _tell_sql(told.sql, database, lang, screen)


def _line(screen: Console, head: str, words: str) -> None:
    screen.print(Line.assemble((f"{head}: ", "bold"), words))


def _span(told: Explained, lang: str) -> str:
    return f"{day(told.period.start, lang)} – {day(told.period.end, lang)}"


def _covered(told: Explained, lang: str) -> str:
    frame = told.frame
    parts = [COVERAGE[frame["coverage"]][lang]]
    if frame["basis"] in BASIS:
        parts.append(BASIS[frame["basis"]][lang])
    if frame["as_of"]:
        parts.append(Text("chốt {}", "as of {}")[lang].format(day(frame["as_of"], lang)))
    if frame["seal"]:
        parts.append(Text("đã chốt, dấu {}", "sealed, {}")[lang].format(frame["seal"]))
    if missing := frame[f"missing_{lang}"]:
        parts.append(missing)
    elif frame["coverage"] == "no_data":
        parts.append(
            Text(
                "không tệp nào bao quát đơn vị này trong kỳ; nhận thêm tệp xuất của những ngày ấy rồi chạy motcua run",
                "no file covers the unit in the period; take in exports of these days, then motcua run",
            )[lang]
        )
    return "; ".join(parts)


def _value(told: Explained, lang: str) -> str:
    f, n = told.figure, told.numbers
    if told.sql is None:
        return VERDICT["no_data"][lang]
    numerator, denominator = number(n["numerator"], lang), number(n["denominator"], lang)
    unknown = f"; {Text('không rõ', 'unknown')[lang]}: {number(n['unknown'], lang)}"
    if f.kind == "count":
        return numerator if n["value"] is not None else Text("bảng tổng hợp không cho biết", "not told")[lang]
    if f.kind in OF_A_COLUMN:
        value = None if n["value"] is None else Decimal(str(n["value"]))
        shown = number(value, lang, 0 if f.kind == "sum" else 2)
        how = "" if f.kind == "sum" else f" ({Text('số hồ sơ', 'dossiers')[lang]}: {denominator}"
        how += f", {Text('tổng', 'sum')[lang]}: {numerator}" if f.kind == "mean" else ""
        return f"{shown}{how and how + ')'}{unknown}"
    words = Text("tử số {} / mẫu số {}", "numerator {} / denominator {}")[lang].format(numerator, denominator)
    if not n["denominator"] and n["unknown"] != 0:  # nothing arose only where nothing is unknown
        return f"{VERDICT['no_data'][lang]}: {words}{unknown}"
    return f"{percent(n['numerator'] or 0, n['denominator'] or 0, lang)} = {words}{unknown}"


def _verdict(told: Explained, lang: str) -> str:
    n, t = told.numbers, told.threshold
    parts = [VERDICT[n["verdict"]][lang]]
    if t is None:
        return parts[0]
    value = number(Decimal(str(float(Fraction(t["value_p"], t["value_q"]) * 100))), lang, 0)
    if n["near"]:
        parts.append(Text("sát ngưỡng", "close to it")[lang])
    if n["needed"]:
        parts.append(Text("còn cần {} hồ sơ", "{} more dossiers needed")[lang].format(n["needed"]))
    dates = Text("từ {}", "from {}")[lang].format(day(t["valid_from"], lang))
    return f"{OPERATOR[t['operator']]} {value} %: {', '.join(parts)} ({t['basis_' + lang]}; {dates}) [{t['mark']}]"


def _tell_rows(told: Explained, lang: str, screen: Console) -> None:
    rows = [
        {
            Text("Nhãn", "Label")[lang]: labels()[r["label"]].text[lang],
            Text("Giá trị", "Value")[lang]: value_in_words(r["label"], r["value"])[lang],
            Text("Hồ sơ", "Dossiers")[lang]: r["dossiers"],
            "numerator": r["numerator"],
            "denominator": r["denominator"],
        }
        for r in told.labels
    ]
    if rows:
        shown = [key for key in rows[0] if key != "denominator" or told.figure.denominator]
        screen.print()
        title = Text("Hồ sơ của đơn vị trong kỳ theo nhãn", "The unit's dossiers in the period by label")[lang]
        print_table(rows, shown, lang, screen, title)
    if told.reported:
        screen.print()
        title = Text("Số trong bảng tổng hợp", "Figures of summaries")[lang]
        print_list(told.reported, lang, screen, title)
    screen.print()
    title = Text(
        "Tệp nguồn (tệp 0 dòng: bao quát đơn vị trong kỳ, không có dòng nào của số liệu này)",
        "Source files (0 rows: covers the unit in the period without a row of this figure)",
    )[lang]
    print_table(told.files, ["source", "file", "rows", "sha256"], lang, screen, title, spare=("source",))
    adds_up = Text("Các dòng phía sau cộng lại đúng bằng số liệu.", "The rows behind add up to the figure.")
    differs = Text("CÁC DÒNG PHÍA SAU KHÔNG CỘNG LẠI BẰNG SỐ LIỆU.", "THE ROWS BEHIND DO NOT ADD UP TO THE FIGURE.")
    if told.adds_up is not None:
        screen.print((adds_up if told.adds_up else differs)[lang], style=None if told.adds_up else "bold red")


def _tell_sql(sql: str, database: str, lang: str, screen: Console) -> None:
    screen.print()
    _line(screen, Text("Câu SQL, dán vào DuckDB mở tệp", "SQL, to paste into DuckDB on the file")[lang], database)
    # as it is: a line broken within a text would be another statement
    screen.print(sql + ";", soft_wrap=True, highlight=False)
    how = Text(
        "Nhãn do khung nhìn dossier_period gán; xem: SELECT sql FROM duckdb_views() WHERE view_name = 'dossier_period';",
        "The view dossier_period gives the labels: SELECT sql FROM duckdb_views() WHERE view_name = 'dossier_period';",
    )
    screen.print(how[lang], style="dim", soft_wrap=True)


def print_list(rows: list[Row], lang: str, screen: Console, title: str | None = None, count: int | None = None) -> None:
    """Rows behind a figure: where each stands, and what it adds. count: of the whole list, where these are its first."""
    if not rows:
        screen.print(Text("Danh sách không có dòng nào.", "The list has no rows.")[lang])
        return
    shown = [_shown(r, lang) for r in rows[:SHOWN]]
    optional = ("dossier_code", "dossier_id", "outcome", "origin", "measure", "value", "field")
    columns = [k for k in ("part", "unit", *optional, "numerator", "denominator", "file", "sheet", "row")
               if k in ("part", "unit", "file", "row") or any(r.get(k) is not None for r in shown)]  # fmt: skip
    print_table(shown, columns, lang, screen, title, spare=("field", "origin", "outcome", "sheet", "denominator"))
    if (rest := (count or len(rows)) - SHOWN) > 0:
        more = Text(f"… còn {rest} dòng nữa; tất cả: --format csv", f"… and {rest} more rows; all: --format csv")
        screen.print(more[lang], style="dim")


def _shown(row: Row, lang: str) -> Row:
    words = {name: value_in_words(name, row[name])[lang] for name in ("origin", "outcome") if row.get(name)}
    measure = {"measure": label_of(row["measure"])[lang]} if row.get("measure") else {}
    return row | words | measure | {"part": PART[row["part"]][lang]}
