"""What the registers show of the dossiers at the moment of each export."""

from dataclasses import replace
from datetime import date, datetime, time, timedelta

from .dossiers import INDEX, SEED, WORKDAYS, Dice, Dossier, due_of, read_model, start_index

MONTHS = [
    ("2023-07", date(2023, 6, 15), datetime(2023, 7, 14, 23, 30)),
    ("2023-08", date(2023, 7, 15), datetime(2023, 8, 14, 23, 30)),
    # a dossier arrives at 23:59 on the last day, so this export is of the last second
    ("2023-09", date(2023, 8, 15), datetime(2023, 9, 14, 23, 59, 59)),
]
STOCK_AT = datetime(2023, 6, 14, 23, 30)
LATE_EXPORT = datetime(2023, 10, 20, 8, 0)

WORDS = {
    "district": {
        "online": ("Trực tiếp", "Trực tuyến"),
        "components": ("Không", "Có"),
        "result": ("Không", "Có"),
        "level": {"full": "DVC toàn trình", "partial": "DVC một phần", "none": "Cung cấp thông tin"},
    },
    "commune": {
        "online": ("Nộp trực tiếp", "Nộp trực tuyến"),
        "components": ("Chưa số hóa", "Đã số hóa"),
        "result": ("Chưa số hóa", "Đã số hóa"),
        "level": {"full": "Toàn trình", "partial": "Một phần", "none": "Cung cấp thông tin"},
    },
}
# the header of each column, as the counter's system and that of the communes write it
COLUMNS = [
    ("STT", "STT"),
    ("Mã hồ sơ", "Mã số hồ sơ"),
    ("Mã TTHC", "Mã thủ tục"),
    ("Tên TTHC", "Tên thủ tục"),
    ("Lĩnh vực", "Tên lĩnh vực"),
    ("Mức độ DVC", "Mức độ dịch vụ công"),
    ("Đơn vị tiếp nhận", "Cơ quan tiếp nhận"),
    ("Chủ hồ sơ", "Chủ hồ sơ"),
    ("Số CCCD", "Số CCCD"),
    ("Địa chỉ", "Địa chỉ"),
    ("Số điện thoại", "Số điện thoại"),
    ("Kênh tiếp nhận", "Hình thức nộp"),
    ("Ngày tiếp nhận", "Ngày nhận"),
    ("Ngày hẹn trả", "Ngày hẹn trả kết quả"),
    ("Ngày kết thúc xử lý", "Ngày có kết quả"),
    ("Ngày trả kết quả", "Ngày trả"),
    ("Trạng thái", "Trạng thái hồ sơ"),
    ("Số hóa thành phần hồ sơ", "Số hóa TPHS"),
    ("Số hóa kết quả", "Số hóa KQ"),
    ("Có phiếu đánh giá", "Phiếu đánh giá"),
    ("Mức đánh giá", "Mức độ hài lòng"),
    ("Đã xin lỗi", "Xin lỗi"),
    ("Số bản chứng thực điện tử", "Chứng thực điện tử"),
    ("Ghi chú", "Ghi chú"),
]
HEADERS = {"district": [first for first, _ in COLUMNS], "commune": [second for _, second in COLUMNS]}
OFFICE = {
    "district": "UBND HUYỆN GIO LINH - BỘ PHẬN TIẾP NHẬN VÀ TRẢ KẾT QUẢ",
    "commune": "UBND HUYỆN GIO LINH - BỘ PHẬN MỘT CỬA CÁC XÃ, THỊ TRẤN",
}


def flag(value: bool | None, words=("Không", "Có")) -> str:
    return "" if value is None else words[value]


def stamp(value: datetime | None) -> str:
    return f"{value:%d/%m/%Y %H:%M:%S}" if value else ""


def status(d: Dossier, at: datetime) -> str:
    if d.word:
        return d.word
    if d.finished is None or d.finished > at:
        return "Đã tiếp nhận" if at - d.received < timedelta(days=1) else "Đang xử lý"
    return "Đã trả kết quả" if d.returned and d.returned <= at else "Đã xử lý xong"


def row(number: int, d: Dossier, at: datetime, office: str) -> list:
    """What the register shows of a dossier at a moment: what has not yet happened is blank."""
    w, person = WORDS[office], f"{d.person:05d}"
    done, handed_over = (x is not None and x <= at for x in (d.finished, d.returned))
    return [
        number, d.code, d.procedure.code, d.procedure.name, d.procedure.field, w["level"][d.procedure.level],
        d.written, f"Người nộp mẫu {person}", f"{d.person:012d}", f"Địa chỉ mẫu {d.person}",
        f"{d.person:010d}", flag(d.online, w["online"]), stamp(d.received), d.due,
        stamp(d.finished) if done else "", stamp(d.returned) if handed_over else "", status(d, at),
        flag(d.components, w["components"]), flag(d.result, w["result"]) if done else "",
        flag(d.rated) if done else "", d.rating if done else "", flag(d.apology) if done else "",
        d.copies if done else None, f"Ghi chú mẫu {d.person}" if d.person % 40 == 0 else "",
    ]  # fmt: skip


def concerns(d: Dossier, start: date) -> bool:
    """Received since, or open at the start; what is no dossier stands only in the month in which it came."""
    return d.received.date() >= start or (not d.word and (d.finished is None or d.finished.date() >= start))


def exports(dossiers: list[Dossier], office: str):
    """The stock at the start, then a register per month: (name, title rows, rows)."""

    def titles(heading, span, at):
        return [OFFICE[office], heading, span, f"Ngày xuất dữ liệu: {stamp(at)}"]

    mid = "" if office == "district" else "xa_"
    stock = [d for d in dossiers if d.received < STOCK_AT]
    yield (
        f"ton_dau_ky_{mid}{STOCK_AT:%Y-%m-%d}",
        titles("DANH SÁCH HỒ SƠ ĐANG GIẢI QUYẾT", f"Tính đến hết ngày {STOCK_AT:%d/%m/%Y}", STOCK_AT),
        [row(i, d, STOCK_AT, office) for i, d in enumerate(stock, 1)],
    )
    for name, start, at in MONTHS:
        shown = [d for d in dossiers if d.received <= at and concerns(d, start)]
        rows = [row(i, d, at, office) for i, d in enumerate(shown, 1)]
        if name == "2023-08":
            rows.insert(100, rows[97])  # a row printed twice, as happens
        span = f"Từ ngày {start:%d/%m/%Y} đến ngày {at:%d/%m/%Y}"
        yield f"so_theo_doi_{mid}{name}", titles("SỔ THEO DÕI HỒ SƠ", span, at), rows


def late_rows(dossiers: list[Dossier]) -> list[Dossier]:
    """The twelve rows of the later export; what they mean for the quarter is written in its README."""
    known = Dice(SEED).shuffled(d for d in dossiers if not d.word and d.received < datetime(2023, 8, 20))
    out, used = [], set()

    def take(test, **changes) -> None:
        d = next(d for d in known if d.code not in used and test(d))
        used.add(d.code)
        moved = {key: value(d) if callable(value) else value for key, value in changes.items()}
        out.append(replace(d, **moved))

    def shifted(steps: int):
        return lambda d: datetime.combine(WORKDAYS[INDEX[d.finished.date()] + steps], time(9, 20, 40))

    def due_day(d):
        return d.due.date() if d.due else None

    def resolved(d, outcome):
        return d.outcome == outcome and not d.carried

    def slow(d):
        return INDEX[d.finished.date()] - start_index(d.received) >= 3

    def waiting(d):
        return d.outcome == "open" and not d.carried

    done = {"result": True, "rated": True, "rating": "Hài lòng"}
    undone = {"result": False, "rated": False, "rating": ""}
    # finished dates corrected: one becomes late, one comes a day before its due day, two stay early
    late = {"finished": datetime(2023, 8, 11, 9, 15), "returned": datetime(2023, 8, 11, 15), "apology": False}
    take(lambda d: resolved(d, "on_time") and due_day(d) == date(2023, 8, 10), **late)
    take(lambda d: resolved(d, "on_time") and slow(d), finished=shifted(-1))
    for _ in range(2):
        take(lambda d: resolved(d, "early") and slow(d), finished=shifted(-1))
    # reported open, finished in truth
    take(waiting, finished=datetime(2023, 9, 13, 15, 0, 12), returned=datetime(2023, 9, 15, 9, 0), **done)
    take(waiting, finished=datetime(2023, 9, 13, 16, 20, 5), returned=datetime(2023, 9, 18, 10, 30), **undone)
    take(waiting, finished=datetime(2023, 9, 5, 10, 0), word="Công dân rút hồ sơ")
    take(lambda d: resolved(d, "early") and not d.online and d.procedure.level == "partial", online=True)
    # resolved after the quarter, and one row that says nothing new
    take(waiting, finished=datetime(2023, 9, 25, 14, 10, 3), returned=datetime(2023, 9, 26, 8, 30), **done)
    take(waiting, finished=datetime(2023, 10, 2, 8, 55, 47), **undone)
    take(lambda d: resolved(d, "early"))
    # never exported before; on that day it is the next number
    received = datetime(2023, 9, 1, 20, 15, 22)
    procedure = next(p for p in read_model()[1]["district"] if p.code == "0.466037")
    number = 1 + sum(d.received.date() == received.date() for d in dossiers)
    out.append(
        Dossier(
            "466", dossiers[0].written, procedure, True, received,
            due_of(received, procedure.days), components=True,
            code=f"H50.466-{received:%y%m%d}-{number:04d}", person=len(dossiers) + 1,
        )
    )  # fmt: skip
    return sorted(out, key=lambda d: (d.received, d.code))
