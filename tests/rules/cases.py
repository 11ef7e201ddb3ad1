"""Hand-made cases: one dossier each, and what every rule set counts it as in 15/6 to 14/9/2023.

Cases 1 to 16 are the test vectors of OpenCPS's two rules (its code restated; ours and the Thanh Hóa type beside them).
A label is "origin outcome"; `–`: not in the period. A rule set that a case does not name counts it as ours does.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.unit.office import Office, Row

NOT = "–"
MONTHLY, ADHOC, THANH_HOA = "opencps-monthly", "opencps-adhoc", "thanh-hoa"
# export → its title and time. A case tells what the export says of its dossier from then on.
EXPORTS = {
    "spring": ("Từ ngày 15/03/2023 đến ngày 14/06/2023", "Ngày xuất dữ liệu: 14/06/2023 23:00:00"),
    "july": ("Từ ngày 15/06/2023 đến ngày 31/07/2023", "Ngày xuất dữ liệu: 31/07/2023 23:00:00"),
    "end": ("Từ ngày 15/06/2023 đến ngày 14/09/2023", "Ngày xuất dữ liệu: 14/09/2023 23:30:00"),
    "later": ("Từ ngày 15/06/2023 đến ngày 20/09/2023", "Ngày xuất dữ liệu: 20/09/2023 23:00:00"),
}
DONE, HANDED_OVER, RUNNING, SUPPLEMENT = "Đã xử lý xong", "Đã trả kết quả", "Đang xử lý", "Yêu cầu bổ sung giấy tờ"
STOPPED, FINANCIAL, WITHDRAWN, RETURNED = "Dừng xử lý", "Chờ nghĩa vụ tài chính", "Công dân rút hồ sơ", "Trả lại hồ sơ"
ONLINE, DIRECT, POST = "Trực tuyến", "Trực tiếp", "Bưu chính công ích"


@dataclass(frozen=True)
class Case:
    """told: export → what changes of the row with it. rows are as the office writes them, `rec`, `due`, `rel`, `fin`
    (received, due, result ready, handed over) for short. source: of two, that differ in how lateness is compared."""

    name: str
    what: str
    ours: str
    labels: dict[str, str]
    told: dict[str, Row] = field(repr=False)
    source: str = "so"

    def by(self, rules: str) -> str:
        return self.labels.get(rules, self.ours)

    @property
    def unit(self) -> str:
        return f"Ca {self.name}"


def case(name: str, what: str, ours: str, monthly: str, adhoc: str, thanh_hoa: str, *, later: Row | None = None,
         july: Row | None = None, source: str = "so", others: dict[str, str] | None = None, **row: str) -> Case:  # fmt: skip
    """A case that the export of the period's end tells (one from before it or of July where the row is of then)."""
    usual = {"rec": "03/07/2023 08:15:00", "due": "20/07/2023 17:00:00", "channel": ONLINE}
    told: dict[str, Row] = {"july": usual | row | july, "end": row} if july is not None else {"end": usual | row}
    told |= {"later": later} if later is not None else {}
    labels = {MONTHLY: monthly, ADHOC: adhoc, THANH_HOA: thanh_hoa} | (others or {})
    return Case(name, what, ours, {k: v.replace("=", ours) if v == "=" else v for k, v in labels.items()}, told, source)


OPEN = {"status": RUNNING}
OLD = {"rec": "01/06/2023 09:00:00"}
OLD_OVERDUE = {**OLD, "due": "20/06/2023 17:00:00"}
LEFT_OUT, AS_RESOLVED, AS_OVERDUE = "withdrawn-left-out", "withdrawn-as-resolved", "paused-as-overdue"
DATE, TIMESTAMP, ORIGINAL, PAUSES = "by-date", "by-timestamp", "original-due", "with-pauses"

# fmt: off
OPENCPS = [
    #                                                   ours                        OpenCPS monthly             OpenCPS ad-hoc              Thanh Hóa
    case("1", "5 ngày trước hạn, chưa trả",             "online resolved_early",    "online resolved_on_time",  "=",                        "=",
         status=DONE, rel="15/07/2023 10:00:00"),
    case("2", "5 ngày trước hạn, đã trả",               "online resolved_early",    "=",                        "=",                        "=",
         status=HANDED_OVER, rel="15/07/2023 10:00:00", fin="15/07/2023 15:00:00"),
    case("3", "trực tiếp, 2 giờ trước giờ hẹn",         "in_person resolved_on_time", "in_person resolved_early", "=",                      "=",
         status=HANDED_OVER, rel="20/07/2023 15:00:00", fin="20/07/2023 15:00:00", channel=DIRECT),
    case("4", "kịp hạn, trả sau hạn",                   "online resolved_on_time",  "=",                        "=",                        "=",
         status=HANDED_OVER, rel="20/07/2023 15:00:00", fin="21/07/2023 08:00:00"),
    case("5", "trễ một phút",                           "online resolved_on_time",  "online resolved_late",     "online resolved_late",     "=",
         status=DONE, rel="20/07/2023 17:01:00", others={TIMESTAMP: "online resolved_late"}),
    case("6", "không có hạn, xong trong ngày",          "online resolved_no_due",   "online resolved_on_time",  "online resolved_early",    "online resolved_on_time",
         status=HANDED_OVER, due="", rel="03/07/2023 10:00:00", fin="03/07/2023 10:00:00"),
    case("7", "tồn, đang mở, quá hạn",                  "carried_over open_overdue", "=",                       "=",                        "=",
         **OPEN, **OLD_OVERDUE),
    case("8", "như 7, tạm dừng (khóa)",                 "carried_over open_paused", "carried_over open_overdue", "carried_over open_overdue", "carried_over open_in_term",
         status=STOPPED, **OLD_OVERDUE, others={AS_OVERDUE: "carried_over open_overdue"}),
    case("9", "như 7, chờ bổ sung",                     "carried_over open_paused", "=",                        "=",                        "carried_over open_in_term",
         status=SUPPLEMENT, **OLD_OVERDUE, others={AS_OVERDUE: "carried_over open_overdue"}),
    case("10", "công dân rút",                          "online withdrawn",         "=",                        "=",                        "online resolved_on_time",
         status=WITHDRAWN, rel="10/07/2023 09:00:00", others={AS_RESOLVED: "online resolved_on_time", LEFT_OUT: NOT}),
    case("11", "từ chối sau tiếp nhận, kịp hạn",        "online returned",          "online resolved_early",    "online resolved_early",    "online resolved_on_time",
         status=RETURNED, rel="10/07/2023 09:00:00", fin="10/07/2023 15:00:00", others={AS_RESOLVED: "online resolved_on_time", LEFT_OUT: NOT}),
    case("12", "không được tiếp nhận",                  NOT,                        "=",                        "=",                        "=",
         status="Không được tiếp nhận"),
    case("13", "có kết quả trước kỳ, trả trong kỳ",     NOT,                        "=",                        "carried_over unclassified", "=",
         status=HANDED_OVER, **OLD_OVERDUE, rel="10/06/2023 09:00:00", fin="20/06/2023 09:00:00"),
    case("14", "nhận 00:00:00 ngày đầu kỳ",             "online open_in_term",      "carried_over open_in_term", "carried_over open_in_term", "=",
         **OPEN, rec="15/06/2023 00:00:00", due="29/09/2023 17:00:00"),
    case("15", "mở tại ngày chốt, sau đó mới xong",     "online open_in_term",      "=",                        "=",                        "=",
         **OPEN, due="20/09/2023 17:00:00", later={"status": DONE, "rel": "18/09/2023 09:00:00"}),
    case("16", "quá hạn tại ngày chốt, từ 18/9 chờ bổ sung", "online open_overdue",  "online open_paused",      "online open_paused",       "online open_in_term",
         **OPEN, due="10/09/2023 17:00:00", later={"status": SUPPLEMENT, "supplement_requested_at": "18/09/2023"}),
]
MORE = [
    case("17", "hạn đúng ngày chốt, đang mở",           "online open_in_term",      "online open_overdue",      "online open_overdue",      "=",
         **OPEN, due="14/09/2023 17:00:00", others={TIMESTAMP: "online open_overdue"}),
    case("18", "đã trả mà không có ngày kết thúc",      "online resolved_early",    "=",                        "=",                        "online unclassified",
         status=HANDED_OVER, fin="10/07/2023 09:00:00"),
    case("19", "có ngày kết thúc mà trạng thái đang xử lý", "online resolved_early", "online resolved_on_time", "=",                        "online open_overdue",
         **OPEN, rel="10/07/2023 09:00:00"),
    case("20", "xong, rồi mở lại",                      "online resolved_early",    "online open_overdue",      "online open_overdue",      "online open_overdue",
         **OPEN, july={"status": DONE, "rel": "10/07/2023 09:00:00"}, rel=""),
    case("21", "gia hạn, xong trước hạn mới",           "online resolved_early",    "=",                        "=",                        "=",
         status=HANDED_OVER, due="10/07/2023 17:00:00", extended_due_at="25/07/2023 17:00:00", rel="20/07/2023 10:00:00", fin="20/07/2023 10:00:00",
         others={ORIGINAL: "online resolved_late"}),
    case("22", "hạn bị sửa muộn hơn",                   "online resolved_early",    "=",                        "=",                        "=",
         july={"status": RUNNING, "due": "10/08/2023 17:00:00", "rel": "", "fin": ""},
         status=HANDED_OVER, due="25/08/2023 17:00:00", rel="20/08/2023 10:00:00", fin="20/08/2023 10:00:00",
         others={ORIGINAL: "online resolved_late"}),
    case("23", "trễ, nhưng đã tạm dừng 10 ngày",        "online resolved_late",     "=",                        "=",                        "=",
         status=DONE, due="10/07/2023 17:00:00", rel="15/07/2023 10:00:00", paused_days="10", others={PAUSES: "online resolved_early"}),
    case("24", "đang quá hạn, đã tạm dừng 10 ngày",     "online open_overdue",      "=",                        "=",                        "=",
         **OPEN, due="10/09/2023 17:00:00", paused_days="10", others={PAUSES: "online open_in_term"}),
    case("25", "không rõ hình thức nộp",                "channel_unknown open_in_term", "in_person open_in_term", "in_person open_in_term", "in_person open_in_term",
         **OPEN, due="29/09/2023 17:00:00", channel=""),
    case("26", "qua bưu chính",                         "postal open_in_term",      "in_person open_in_term",   "in_person open_in_term",   "=",
         **OPEN, due="29/09/2023 17:00:00", channel=POST),
    case("27", "rút mà không có ngày",                  "online unclassified",      "=",                        "=",                        "=",
         status=WITHDRAWN),
    case("28", "trễ một phút, nguồn so theo giờ",       "online resolved_late",     "=",                        "=",                        "online resolved_on_time",
         status=DONE, rel="20/07/2023 17:01:00", source="gio", others={DATE: "online resolved_on_time"}),
    case("29", "xong buổi sáng, hẹn buổi chiều",        "online resolved_on_time",  "=",                        "online resolved_early",    "=",
         status=DONE, due="20/07/2023 16:00:00", rel="20/07/2023 10:00:00"),
    case("30", "dừng có ngày",                          "online stopped",           "=",                        "=",                        "online open_in_term",
         status=STOPPED, rel="10/07/2023 09:00:00", others={AS_RESOLVED: "online resolved_on_time", LEFT_OUT: NOT}),
    case("31", "tồn, có kết quả 00:00:00 ngày đầu kỳ",  "carried_over resolved_early", "carried_over resolved_on_time", "carried_over unclassified", "=",
         status=DONE, **OLD_OVERDUE, rel="15/06/2023 00:00:00"),
    case("32", "sau ngày chốt mới biết gia hạn",        "online open_overdue",      "online open_in_term",      "online open_in_term",      "online open_in_term",
         **OPEN, due="10/09/2023 17:00:00", later={"extended_due_at": "29/09/2023 17:00:00"}),
    case("33", "tồn, đã trả mà không có ngày kết thúc", "carried_over resolved_early", "=",                     "=",                        NOT,
         status=HANDED_OVER, **OLD, due="29/06/2023 17:00:00", fin="20/06/2023 09:00:00"),
    case("34", "có ngày kết thúc trước kỳ mà trạng thái đang xử lý", NOT,           "=",                        "=",                        "carried_over open_overdue",
         **OPEN, **OLD_OVERDUE, rel="10/06/2023 09:00:00"),
    case("35", "chờ bổ sung, còn hạn",                  "online open_paused",       "=",                        "=",                        "online open_in_term",
         status=SUPPLEMENT, due="29/09/2023 17:00:00", others={AS_OVERDUE: "online open_in_term"}),
    case("36", "chờ nghĩa vụ tài chính, quá hạn",       "online open_paused",       "online open_overdue",      "online open_overdue",      "online open_overdue",
         status=FINANCIAL, due="10/09/2023 17:00:00", others={AS_OVERDUE: "online open_overdue"}),
    case("37", "quá giờ hẹn trong ngày chốt, nguồn so theo giờ", "online open_overdue", "=",                    "=",                        "online open_in_term",
         **OPEN, due="14/09/2023 11:00:00", source="gio", others={DATE: "online open_in_term"}),
    case("38", "từ chối, trễ hạn",                      "online returned",          "online resolved_late",     "online resolved_late",     "online resolved_on_time",
         status=RETURNED, rel="21/07/2023 09:00:00", others={AS_RESOLVED: "online resolved_on_time", LEFT_OUT: NOT}),
    case("39", "mở tại ngày chốt, sau đó rút mà không có ngày", "online open_in_term", "online unclassified",   "online unclassified",      "online unclassified",
         **OPEN, due="29/09/2023 17:00:00", later={"status": WITHDRAWN}),
    case("40", "giờ hẹn bị lùi trong ngày, nguồn so theo giờ", "online resolved_on_time", "=",                  "=",                        "=",
         july={"status": RUNNING, "due": "20/07/2023 11:00:00", "rel": ""}, status=DONE, due="20/07/2023 17:00:00", rel="20/07/2023 15:00:00",
         source="gio", others={ORIGINAL: "online resolved_late"}),
]
# fmt: on
CASES = [*OPENCPS, *MORE]
SHORT = {"rec": "received_at", "due": "due_at", "rel": "finished_at", "fin": "returned_at"}


def drop(office: Office, cases: list[Case]) -> None:
    """The exports that tell the cases: a dossier stands in every one since it is first told of."""
    for source, lateness in (("so", "date"), ("gio", "timestamp")):
        rules = f'[rules]\nlateness = "{lateness}"\n'
        office.source(f'name = "{source}"\nunits = "from_file"\nknown_at = "exported"\n{rules}', source)
        known: dict[str, Row] = {}
        for export, titles in EXPORTS.items():
            for c in cases:
                if c.source == source and export in c.told:
                    written = {SHORT.get(name, name): value for name, value in c.told[export].items()}
                    start = {"dossier_code": f"CA-{c.name}", "unit": c.unit, "finished_at": "", "returned_at": "",
                             "extended_due_at": "", "paused_days": "", "supplement_requested_at": ""}  # fmt: skip
                    known[c.name] = known.get(c.name, start) | written
            if known:
                office.drop(f"{export}.csv", list(known.values()), ("SỔ THEO DÕI HỒ SƠ", *titles), source)
