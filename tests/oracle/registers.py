"""Random registers: histories of dossiers from a seed, and the export files that two systems make of them.

A dossier is a list of events (a moment and what changed); an export is the state of every listed dossier at
its moment, so that corrections, reopenings and late entries reach the files just as they do in an office.
Not here: what the figures should be (oracle.py).
"""

from __future__ import annotations

import csv
import random
from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import xlsxwriter

from .oracle import Export, Said, month_start

COUNTER, COMMUNES = "gio_linh_huyen", "gio_linh_xa"
# unit code → spellings that offices use
UNITS = {
    COUNTER: {"466": ("UBND huyện Gio Linh",)},
    COMMUNES: {
        "19522": ("Xã Gio An", "UBND xã Gio An"),
        "19496": ("Thị trấn Cửa Việt", "UBND TT Cửa Việt"),
        "19498": ("UBND xã Trung Giang",),
        "19519": ("Xã Gio Hải", "UBND xã Gio Hai"),
        "19534": ("Xã Linh Trường",),
    },
}
HEADERS = {
    "code": ("Mã hồ sơ", "Mã số hồ sơ"),
    "unit": ("Đơn vị tiếp nhận", "Cơ quan tiếp nhận"),
    "received": ("Ngày tiếp nhận", "Ngày nhận"),
    "status": ("Trạng thái", "Trạng thái hồ sơ", "Tình trạng"),
    "finished": ("Ngày kết thúc xử lý", "Ngày có kết quả"),
    "channel": ("Hình thức nộp", "Kênh tiếp nhận"),
    "due": ("Ngày hẹn trả", "Ngày hẹn trả kết quả"),
    "handed_over": ("Ngày trả kết quả", "Ngày trả"),
    "extended_due": ("Ngày hẹn trả sau gia hạn", "Ngày hẹn lại"),
    "component_digitized": ("Số hóa thành phần hồ sơ", "Số hóa TPHS"),
    "result_digitized": ("Số hóa kết quả", "Số hóa KQ"),
    "service_level": ("Mức độ DVC", "Mức độ dịch vụ công"),
    "apology_sent": ("Đã xin lỗi", "Thư xin lỗi", "Xin lỗi"),
    "rated": ("Có phiếu đánh giá", "Phiếu đánh giá"),
}
WORDS: dict[str, dict[Any, tuple[str, ...]]] = {
    "status": {
        "not_received": ("Mới đăng ký", "1"),
        "received": ("Đã tiếp nhận", "Được tiếp nhận"),
        "refused_at_intake": ("Từ chối tiếp nhận", "Không được tiếp nhận"),
        "processing": ("Đang xử lý", "Đang giải quyết"),
        "supplement": ("Yêu cầu bổ sung", "Chờ bổ sung"),
        "financial": ("Chờ thực hiện nghĩa vụ tài chính",),
        "withdrawn": ("Rút hồ sơ", "Công dân rút hồ sơ"),
        "stopped": ("Dừng xử lý",),
        "returned": ("Trả lại", "Trả lại hồ sơ"),
        "done": ("Đã xử lý xong", "Đã có kết quả"),
        "handed_over": ("Đã trả kết quả", "Đã trả KQ"),
        None: ("",),
    },
    "channel": {
        "online": ("Trực tuyến", "Nộp trực tuyến", "Cổng DVC"),
        "in_person": ("Trực tiếp", "Nộp trực tiếp"),
        "postal": ("Bưu chính công ích", "BCCI"),
        None: ("",),
    },
    "service_level": {
        "full": ("Toàn trình", "DVC toàn trình"),
        "partial": ("Một phần", "DVC một phần"),
        "none": ("Không", "Cung cấp thông tin"),
        None: ("",),
    },
}
FLAGS: dict[Any, tuple[str, ...]] = {
    True: ("Có", "x", "Đã số hóa"),
    False: ("Không", "0", "Chưa số hóa"),
    None: ("",),
}
DAY, SECOND = timedelta(days=1), timedelta(seconds=1)


def moment(day: date, clock: time = time.min) -> datetime:
    return datetime.combine(day, clock)


def end_of(day: date) -> datetime:
    """The last second of a day: when the exports of these registers are made."""
    return moment(day) + DAY - SECOND


# ---------------------------------------------------------------- histories
@dataclass
class History:
    """A dossier's life: events in any order; what an event does not name stays as it was."""

    code: str
    source: str
    events: list[tuple[datetime, dict[str, Any]]]

    def state(self, at: datetime) -> Said | None:
        """What the system shows at a moment; None before the dossier is in it."""
        known: dict[str, Any] = {}
        for when, change in sorted(self.events, key=lambda e: e[0]):
            if when <= at:
                known |= change
        return Said(code=self.code, **known) if known else None

    def listed(self, first: date, last: date) -> bool:
        """Whether a full export of first..last shows it: open at the start, or something happened since."""
        before = self.state(moment(first) - SECOND)
        waiting = before is not None and before.finished is None and before.status != "refused_at_intake"
        return waiting or any(moment(first) <= when <= end_of(last) for when, _ in self.events)


class Maker:
    """Draws histories. All chance comes from one seeded generator, so a seed is a register."""

    def __init__(self, seed: int, first: date, last: dict[str, date], extensions: bool) -> None:
        self.dice = random.Random(seed)
        self.first, self.last, self.extensions = first, last, extensions
        self.edges = sorted(
            month_start(scheme, months)
            for scheme in ("nd09", "calendar")
            for months in range(first.year * 12 + 12, max(last.values()).year * 12 + 12)
        )

    def chance(self, share: float) -> bool:
        return self.dice.random() < share

    def clock(self) -> time:
        return time(self.dice.randrange(24), self.dice.randrange(60), self.dice.randrange(60))

    def on_edge(self, after: date) -> datetime:
        """The first second of some month, or the last second before it, after the day."""
        later = [d for d in self.edges if d > after + DAY]
        edge = moment(later[min(self.dice.randrange(4), len(later) - 1)] if later else after + 2 * DAY)
        return edge - SECOND if self.chance(0.5) else edge

    def later(self, at: datetime, days: int) -> datetime:
        if self.chance(0.12):
            return self.on_edge(at.date())
        return moment(at.date() + self.dice.randint(1, days) * DAY, self.clock())

    def mark(self) -> bool | None:
        return self.dice.choice((True, True, False, None))

    def history(self, number: int) -> History:
        source = self.dice.choice((COUNTER, COMMUNES, COMMUNES))
        unit = self.dice.choice(list(UNITS[source]))
        days = (self.last[source] - self.first).days
        received = moment(self.first + self.dice.randint(0, days) * DAY, self.clock())
        if self.chance(0.15):
            received = min(max(self.on_edge(received.date() - 20 * DAY), moment(self.first)), end_of(self.last[source]))
        prefix = "H50.466" if source == COUNTER else f"H50.466.{list(UNITS[source]).index(unit) + 1:02d}"
        code = f"{prefix}-{received:%y%m%d}-{number:04d}"
        due = self._due(received)
        told = {
            "unit": unit,
            "received": received,
            "status": self.dice.choice(("received", "processing")),
            "channel": self.dice.choice(("online", "online", "in_person", "in_person", "postal", None)),
            "due": due,
            "component_digitized": self.mark(),
            "service_level": self.dice.choice(("full", "partial", "none", None)),
        }
        history = History(code, source, [(received, told)])
        if self.chance(0.03):
            history.events = [(received, told | {"status": "refused_at_intake"})]
            return history
        if self.chance(0.04):  # registered before it was received, on the portal
            registered = max(received - self.dice.randint(1, 40) * DAY, moment(self.first))
            history.events.append((registered, told | {"status": "not_received", "received": registered}))
            history.events.sort(key=lambda e: e[0])
            if self.chance(0.2):  # and never received at all
                history.events.pop()
                return history
        self._work(history, received, due)
        self._late_entries(history, told)
        return history

    def _due(self, received: datetime) -> datetime | None:
        draw = self.dice.random()
        if draw < 0.1:
            return None
        if draw < 0.13:
            return received - self.dice.randint(1, 30) * DAY
        return self.later(received, self.dice.choice((3, 10, 30, 90)))

    def _work(self, history: History, at: datetime, due: datetime | None) -> None:
        """Pauses, extension, the end (or none), reopening and the next end."""
        if self.chance(0.2):
            at = self.later(at, 25)
            history.events.append((at, {"status": self.dice.choice(("supplement", "financial"))}))
            if self.chance(0.15):
                return  # waits to this day
            at = self.later(at, 60)
            history.events.append((at, {"status": "processing"}))
        if self.extensions and self.chance(0.12):
            at = self.later(at, 15)
            longer = self.later(max(due or at, at), 40)
            history.events.append((at, {"extended_due": longer}))
            due = longer
        for _ in range(3):
            ended = self._end(history, at, due)
            if ended is None or not self.chance(0.15):
                return
            at = self.later(ended, 150)
            history.events.append(
                (
                    at,
                    {"status": "processing", "finished": None, "handed_over": None, "result_digitized": None},
                )
            )

    def _end(self, history: History, at: datetime, due: datetime | None) -> datetime | None:
        """One end of the work, of the many kinds that registers show; None where it stays open."""
        ended = self._ending(at, due)
        draw = self.dice.random()
        marks = {"result_digitized": self.mark(), "rated": self.mark()}
        if due is not None and ended.date() > due.date():
            marks["apology_sent"] = self.mark()
        if draw < 0.72:  # a finish date may be stated wrongly, even before the receipt
            stated = ended - self.dice.randint(1, 25) * DAY if self.chance(0.03) else ended
            history.events.append((ended, {"status": "done", "finished": stated} | marks))
            if self.chance(0.4):
                given = self.later(ended, 20)
                history.events.append((given, {"status": "handed_over", "handed_over": given}))
                return given
            return ended
        if draw < 0.86:
            how = self.dice.choice(("withdrawn", "returned", "stopped"))
            history.events.append((ended, {"status": how, "finished": ended}))
            return ended
        if draw < 0.89:  # the finish date forgotten, the hand-over written down
            history.events.append((ended, {"status": "handed_over", "handed_over": ended} | marks))
            return ended
        if draw < 0.94:  # no date at all
            how = self.dice.choice(("stopped", "stopped", "done", "withdrawn", "returned"))
            history.events.append((ended, {"status": how}))
            if how != "stopped" and self.chance(0.4):
                given = self.later(ended, 60)
                history.events.append((given, {"handed_over": given}))
            return None
        if draw < 0.97:  # the status forgotten
            status = self.dice.choice(("processing", "supplement", None))
            history.events.append((ended, {"status": status, "finished": ended} | marks))
            return ended
        return None

    def _ending(self, at: datetime, due: datetime | None) -> datetime:
        draw = self.dice.random()
        if due is not None and due > at + DAY:
            if draw < 0.3:
                return moment(due.date(), self.dice.choice((time.min, time(23, 59, 59), self.clock())))
            if draw < 0.65:
                return at + (due - at) * self.dice.random()
        return self.later(at, 60)

    def _late_entries(self, history: History, told: dict[str, Any]) -> None:
        """Corrections: of a finish date, of the receipt, due date, channel, unit; and mere repetition."""
        at = max(when for when, _ in history.events)
        seen = history.state(at)
        if seen is not None and seen.finished is not None and self.chance(0.08):
            later = self.later(at, 60)
            span = max((later - seen.received) // DAY, 1)
            mended = min(seen.received + self.dice.randint(0, span) * DAY, later)
            history.events.append((later, {"finished": mended}))
        if self.chance(0.04):
            history.events.append((self.later(at, 60), {"channel": self.dice.choice(("online", "in_person", None))}))
        if told["due"] is not None and self.chance(0.03):
            history.events.append((self.later(at, 60), {"due": told["due"] + self.dice.randint(-5, 20) * DAY}))
        if self.chance(0.02):
            earlier = max(told["received"] - self.dice.randint(1, 5) * DAY, moment(self.first))
            history.events.append((self.later(at, 60), {"received": earlier}))
        if self.chance(0.02):
            history.events.append((self.later(at, 60), {"unit": self.dice.choice(list(UNITS[history.source]))}))
        for _ in range(self.dice.randrange(3) if self.chance(0.05) else 0):
            history.events.append((self.later(at, 200), {}))


# ---------------------------------------------------------------- exports
def spans(first: date, last: date, lengths: Iterable[int]) -> list[tuple[date, date]]:
    """Adjoining spans from first to last, of the given lengths in days (the last one cut short)."""
    found, start = [], first
    for length in lengths:
        if start > last:
            break
        found.append((start, min(start + (length - 1) * DAY, last)))
        start = found[-1][1] + DAY
    return found


def nd09_spans(first: date, last: date, months: int) -> list[tuple[date, date]]:
    """Adjoining spans of so many months of the Decree, from the first day of one."""
    starts = [month_start("nd09", m) for m in range(first.year * 12, last.year * 12 + 14)]
    begin = [s for s in starts if s >= first][::months]
    return spans(first, last, [(b - a).days for a, b in pairwise(begin)])


def presence(units: Iterable[str], day: date) -> list[Said]:
    """A row per unit that is no dossier (registered, never received), so that every file shows every unit:
    whether a file covers a unit that it does not name is a question of its own."""
    code = f"H50.466-{day:%y%m%d}-9"
    return [Said(code=code + unit, unit=unit, received=moment(day), status="not_received") for unit in units]


def exports(
    seed: int,
    dossiers: int,
    *,
    first: date = date(2020, 12, 15),
    last: tuple[date, date] = (date(2023, 11, 5), date(2023, 10, 20)),
    months: int = 3,
    lengths: tuple[int, ...] = (30, 91, 92, 150, 181),
    extensions: bool = True,
    lost: float = 0.0,
) -> list[Export]:
    """The exports of two systems that a seed gives, oldest first: the counter's by `months` of the Decree
    and, of late, each month; the communes' over spans of any of the `lengths` in days. Both stop in
    mid-quarter, on different days. `lost`: this share of the dossiers is missing from some exports in a row."""
    maker = Maker(seed, first, dict(zip((COUNTER, COMMUNES), last, strict=True)), extensions)
    histories = [maker.history(n) for n in range(1, dossiers + 1)]
    monthly = date(last[0].year, 9, 15)
    counter = nd09_spans(first, monthly - DAY, months) + nd09_spans(monthly, last[0], 1)
    communes = spans(first, last[1], (maker.dice.choice(lengths) for _ in range(1000)))
    made = []
    gone = _gone(maker, histories, {COUNTER: counter, COMMUNES: communes}, lost) if lost else {}
    for source, covers in [(COUNTER, c) for c in counter] + [(COMMUNES, c) for c in communes]:
        at = end_of(covers[1])
        shown = [
            h for h in histories if h.source == source and h.listed(*covers) and covers not in gone.get(h.code, ())
        ]
        states = [h.state(at) for h in shown]
        rows = [s for s in states if s is not None] + presence(UNITS[source], first)
        made.append(Export(source, at, covers, tuple(rows)))
    return sorted(made, key=lambda e: e.exported_at)


def _gone(
    maker: Maker, histories: list[History], exported: dict[str, list[tuple[date, date]]], share: float
) -> dict[str, list[tuple[date, date]]]:
    """Code of a dossier → the spans of the exports from which it is missing: one, two, or all from some export on."""
    found = {}
    for history in histories:
        if maker.chance(share):
            spans_of = exported[history.source]
            start = maker.dice.randrange(len(spans_of))
            found[history.code] = spans_of[start : start + maker.dice.choice((1, 2, len(spans_of)))]
    return found


# ---------------------------------------------------------------- files
def source_toml(home: Path, source: str) -> None:
    """The communes' files are known from the day of intake: its order must not be taken for that of the exports."""
    folder = home / "data" / "raw" / source
    folder.mkdir(parents=True, exist_ok=True)
    known_at = "intake" if source == COMMUNES else "exported"
    (folder / "source.toml").write_text(f'name = "{source}"\nknown_at = "{known_at}"\n', encoding="utf-8")


def titles_of(export: Export) -> list[str]:
    first, last = export.covers
    return [
        "SỔ THEO DÕI HỒ SƠ",
        f"Từ ngày {first:%d/%m/%Y} đến ngày {last:%d/%m/%Y}",
        f"Ngày xuất dữ liệu: {export.exported_at:%d/%m/%Y %H:%M:%S}",
    ]


def write(home: Path, export: Export, dice: random.Random, titles: list[str] | None = None) -> Path:
    """One export as a file below data/raw, CSV or XLSX, with a name that says nothing of its time."""
    folder = home / "data" / "raw" / export.source
    folder.mkdir(parents=True, exist_ok=True)
    kind = dice.choice(("csv", "xlsx"))
    path = folder / f"{dice.randrange(16**6):06x}_so_theo_doi.{kind}"
    titles = titles or titles_of(export)
    names = [f.name for f in fields(Said)]
    dice.shuffle(names)
    header = [dice.choice(HEADERS[n]) for n in names]
    rows = [[_word(n, getattr(said, n), export.source, dice) for n in names] for said in export.rows]
    if rows and dice.random() < 0.3:
        rows.append(list(dice.choice(rows)))  # the same row again, to the letter
    (_write_csv if kind == "csv" else _write_xlsx)(path, titles, header, rows, dice)
    return path


def write_all(home: Path, made: Iterable[Export], seed: int = 0) -> None:
    """All exports as files, each written the same way however many others are written."""
    for export in made:
        source_toml(home, export.source)
        write(home, export, random.Random(f"{seed} {export.source} {export.exported_at}"))


def _word(name: str, value: Any, source: str, dice: random.Random) -> str | datetime:
    """A canonical value as an office writes it."""
    if name == "unit":
        return dice.choice(UNITS.get(source, {}).get(value, (value,)))
    if name in WORDS:
        return dice.choice(WORDS[name][value])
    if isinstance(value, datetime):
        return value
    return value if isinstance(value, str) else dice.choice(FLAGS[value])


def _date_text(value: str | datetime, dice: random.Random) -> str:
    """A moment as text; midnight sometimes as the bare day, as many systems do."""
    if isinstance(value, str):
        return value
    if value.time() == time.min and dice.random() < 0.5:
        return f"{value:%d/%m/%Y}"
    return f"{value:%d/%m/%Y %H:%M:%S}"


def _write_csv(path: Path, titles: list[str], header: list[str], rows: list, dice: random.Random) -> None:
    with path.open("w", encoding=dice.choice(("utf-8", "utf-8-sig")), newline="") as file:
        out = csv.writer(file, delimiter=dice.choice(",;"))
        out.writerows([[t] for t in titles])
        out.writerow([])
        out.writerow(header)
        # one way of writing per row content, so that a repeated row is repeated to the letter
        out.writerows([_date_text(v, random.Random(str(row))) for v in row] for row in rows)


def _write_xlsx(path: Path, titles: list[str], header: list[str], rows: list, dice: random.Random) -> None:
    real_dates = dice.random() < 0.5
    with xlsxwriter.Workbook(str(path), {"constant_memory": True, "strings_to_urls": False}) as book:
        sheet = book.add_worksheet("Hồ sơ")
        form = book.add_format({"num_format": "dd/mm/yyyy hh:mm:ss"})
        for r, cells in enumerate([*([t] for t in titles), [], header, *rows]):
            for c, v in enumerate(cells):
                if isinstance(v, datetime) and real_dates:
                    sheet.write_datetime(r, c, v, form)
                elif v != "":
                    sheet.write_string(r, c, _date_text(v, random.Random(str(cells))))
