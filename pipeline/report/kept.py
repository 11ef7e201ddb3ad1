"""What is kept and why, for `motcua status`: releases, raw files, rows read, the restricted store, seals.

Not here: the rules (declare/retention.py), removing anything (warehouse/keeping.py).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from rich.console import Console

from pipeline import settings
from pipeline.declare.retention import FILE, RULES, Retention, by_default, law
from pipeline.declare.text import Text
from pipeline.errors import DeclarationError
from pipeline.report.display import day, number
from pipeline.settings import Home
from pipeline.warehouse import keeping
from pipeline.warehouse.record import Entry, archived, local, read_log
from pipeline.warehouse.release import current, standing

Found = dict[str, Any]
MOST_NAMED = 10
MARKS = {
    "C": Text("đã xác nhận", "confirmed"),
    "I": Text("suy ra", "inferred"),
    "M": Text("theo trí nhớ, chưa xác nhận", "from memory, not confirmed"),
}
BROKEN = Text(f"data/raw/{FILE} có lỗi: không xóa gì", f"data/raw/{FILE} is broken: nothing is removed")


def kept_of(home: Home) -> Found | None:
    """policy (each rule with its value, null: forever, and who says so), law, releases, raw_files (with each file: why it
    is here, or when and why it went), versions, restricted, seals. Sizes in bytes, days local. None where the record may
    not be looked at: it is its owner's alone."""
    try:
        return _kept(home)
    except PermissionError:
        return None


def _kept(home: Home) -> Found:
    try:
        rules, broken = keeping.policy(home), None
    except DeclarationError as error:
        rules, broken = by_default(), {"vi": error.render("vi"), "en": error.render("en")}
    entries = read_log(home)
    need = keeping.needs(home, entries)
    files = [_raw_file(home, entry, rules, need, broken is not None) for entry in entries]
    newest = current(home)
    releases = [folder.name for folder in standing(home)]
    versions = [p for p in home.versions.iterdir() if p.is_dir()] if home.versions.is_dir() else []
    used = keeping.names_in_use(home, entries)
    sealed = {one.folder for told in need.rows.values() for one in told}
    return {
        "policy": {rule: _rule(rules, rule) for rule in RULES} | {"reason": rules.reason},
        "broken": broken,
        "law": [{"vi": text.vi, "en": text.en, "mark": mark} for text, mark in law()],
        "releases": {
            "count": len(releases),
            "bytes": _bytes(home.releases),
            "oldest": releases[0] if releases else None,
            "published": newest.id if newest else None,
        },
        "raw_files": {
            "count": sum(file["here"] for file in files),
            "bytes": sum(file["bytes"] for file in files if file["here"]),
            "needed_by_seals": sum(bool(file["seals"]) for file in files),
            "expired": sum(file["expired_at"] is not None for file in files),
            "held": sum(file["held"] for file in files),
            "missing": sum(not file["here"] and file["expired_at"] is None for file in files),
            "files": files,
        },
        "versions": {
            "count": len(versions),
            "bytes": _bytes(home.versions),
            "by_old_declarations": sum(p.name not in used for p in versions),
            "named_by_seals": sum(p.name in sealed for p in versions),
        },
        "restricted": {
            "key": (home.restricted / "key").exists(),
            "files_with_codes": len(list(home.codes.glob("*.parquet"))),
            "files_with_unit_names": len(list(home.unit_names.glob("*.parquet"))),
            "bytes": _bytes(home.restricted),
        },
        "seals": {
            "count": need.seals,
            "bytes": _bytes(home.seals),
            "unread": need.unread,
        },
    }


def _rule(rules: Retention, rule: str) -> Found:
    value = keeping.releases_kept(rules) if rule == "releases" else getattr(rules, rule)
    said = f"data/raw/{FILE}" if rule in rules.by_office else "default"
    if rule == "releases" and settings.keep_releases():
        said = "MOTCUA_KEEP_RELEASES"
    label = Retention.label(rule)
    return {"value": value, "by": said, "vi": label.vi, "en": label.en}


def _raw_file(home: Home, entry: Entry, rules: Retention, need: keeping.Needs, broken: bool) -> Found:
    raw = archived(home, entry.sha256)
    here = raw.exists()
    due = keeping.due_on(entry.taken_at, rules.raw_files_days)
    late = keeping.is_due(entry.taken_at, rules.raw_files_days) and not broken
    held = keeping.why_held(home, entry.sha256, need) if late and here else None
    rows = raw.with_suffix(".rows")
    why = _why(entry, here, due, late, held)
    return {
        "file": entry.place,
        "sha256": entry.sha256,
        "bytes": raw.stat().st_size if here else 0,
        "taken_at": entry.taken_at,
        "here": here,
        "vi": why.vi,
        "en": why.en,
        "seals": need.seals_of(entry.sha256),
        "due_on": local(due.isoformat()).date() if due and here else None,
        "held": held is not None,
        "expired_at": entry.expired_at,
        "expired_why": entry.expired_why,
        "rows_kept": sorted(p.name for p in rows.iterdir()) if rows.is_dir() else [],
        "in_data_raw": (home.raw / entry.source / entry.name).exists(),
    }


def _why(entry: Entry, here: bool, due: datetime | None, late: bool, held: Text | None) -> Text:
    if entry.expired_at:
        gone = local(entry.expired_at).date()
        return Text(
            f"hết hạn lưu ngày {day(gone, 'vi')}; giữ các dòng đã đọc thay cho tệp",
            f"expired on {day(gone, 'en')}; the rows read of it are kept in its place",
        )
    if not here:
        return Text("THIẾU trong kho lưu mà không do hết hạn", "MISSING from the archive, and not by expiry")
    if held:
        return Text(f"đã đến hạn, vẫn giữ: {held.vi}", f"due, kept all the same: {held.en}")
    if late:
        return Text("đã đến hạn: xóa ở lần chạy sau", "due: goes at the next run")
    if due is None:
        return Text("giữ mãi", "kept for ever")
    until = local(due.isoformat()).date()
    return Text(f"giữ đến {day(until, 'vi')}", f"kept until {day(until, 'en')}")


def _bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


# ---- in words


def tell_kept(found: Found | None, lang: str, console: Console) -> None:
    """A line for each kind of thing; raw files by name only where something is odd about them."""
    if found is None:
        text = Text("Đang giữ gì: chỉ người giữ kho xem được.", "What is kept: only its keeper can see.")
        console.print(text[lang], style="dim")
        return

    def line(head: Text, text: Text, style: str | None = None) -> None:
        console.print(f"  {head[lang]}: {text[lang]}", highlight=False, soft_wrap=True, style=style)

    policy, raw = found["policy"], found["raw_files"]
    console.print(Text("Đang giữ gì và vì sao", "What is kept and why")[lang])
    if found["broken"]:
        console.print(f"  {BROKEN[lang]}\n{found['broken'][lang]}", style="red", highlight=False)
    line(Text("Bản công bố", "Releases"), _releases(found["releases"], policy["releases"]))
    line(Text("Tệp gốc", "Raw files"), _raw_files(raw, policy["raw_files_days"]))
    _tell_files(raw["files"], line)
    versions, restricted, seals = found["versions"], found["restricted"], found["seals"]
    old = _for(policy["versions_days"])
    line(
        Text("Dòng đã đọc", "Rows read"),
        Text(
            f"{versions['count']} thư mục, {_size(versions['bytes'], 'vi')}, trong đó {versions['by_old_declarations']} theo khai báo cũ ({old.vi}); xóa được, sẽ làm lại",
            f"{versions['count']} folders, {_size(versions['bytes'], 'en')}, {versions['by_old_declarations']} of them by earlier declarations ({old.en}); may be deleted, made again",
        ),
    )
    codes, names = _for(policy["dossier_codes_days"]), _for(policy["unit_names_days"])
    line(
        Text("Kho hạn chế", "Restricted store"),
        Text(
            f"khóa (không bao giờ xóa); mã hồ sơ của {restricted['files_with_codes']} tệp ({codes.vi}); tên đơn vị của {restricted['files_with_unit_names']} tệp ({names.vi})",
            f"the key (never removed); dossier codes of {restricted['files_with_codes']} files ({codes.en}); unit names of {restricted['files_with_unit_names']} files ({names.en})",
        ),
    )
    line(
        Text("Bản chốt", "Seals"),
        Text(
            f"{seals['count']}, {_size(seals['bytes'], 'vi')}: không bao giờ xóa",
            f"{seals['count']}, {_size(seals['bytes'], 'en')}: never removed",
        ),
    )
    if policy["reason"]:
        line(Text("Lý do của cơ quan", "The office's reason"), Text(policy["reason"], policy["reason"]))
    for text in found["law"]:
        line(
            Text("Căn cứ", "Basis"), Text(*(f"{text[one]} [{MARKS[text['mark']][one]}]" for one in ("vi", "en"))), "dim"
        )


def _releases(found: Found, rule: Found) -> Text:
    if not found["count"]:
        return Text("chưa có", "none yet")
    return Text(
        f"{found['count']} bản, {_size(found['bytes'], 'vi')}, cũ nhất {found['oldest']}; giữ {rule['value']} bản mới nhất ({_by(rule).vi})",
        f"{found['count']}, {_size(found['bytes'], 'en')}, oldest {found['oldest']}; the newest {rule['value']} are kept ({_by(rule).en})",
    )


def _raw_files(found: Found, rule: Found) -> Text:
    kept = _for(rule)
    names = sorted({seal for file in found["files"] for seal in file["seals"]})
    told = ", ".join(names[:MOST_NAMED]) + ("…" if len(names) > MOST_NAMED else "")
    sealed = Text(
        f"; bản chốt cần {found['needed_by_seals']} tệp: {told}",
        f"; seals need {found['needed_by_seals']} of them: {told}",
    )
    gone = Text(f"; {found['expired']} tệp đã hết hạn lưu", f"; {found['expired']} have expired")
    return Text(
        f"{found['count']} tệp, {_size(found['bytes'], 'vi')}, {kept.vi}"
        + (sealed.vi if names else "")
        + (gone.vi if found["expired"] else ""),
        f"{found['count']} files, {_size(found['bytes'], 'en')}, {kept.en}"
        + (sealed.en if names else "")
        + (gone.en if found["expired"] else ""),
    )


def _tell_files(files: list[Found], line: Callable[..., None]) -> None:
    """Raw files that are gone, missing, or here although they are due."""
    odd = [file for file in files if not file["here"] or file["held"]]
    for file in odd[:MOST_NAMED]:
        still = file["expired_at"] and file["in_data_raw"]
        line(
            Text(f"  {file['file']}", f"  {file['file']}"),
            Text(
                file["vi"] + ("; bản trong data/raw vẫn còn, cơ quan tự xóa" if still else ""),
                file["en"] + ("; the copy in data/raw is still there, the office's own to delete" if still else ""),
            ),
            None if file["here"] or file["expired_at"] else "red",
        )
    if (more := len(odd) - MOST_NAMED) > 0:
        line(Text("  …", "  …"), Text(f"{more} tệp nữa: --format json", f"{more} more: --format json"))


def _for(rule: Found) -> Text:
    """How long, and who says so."""
    by = _by(rule)
    if rule["value"] is None:
        return Text(f"giữ mãi, {by.vi}", f"kept for ever, {by.en}")
    return Text(f"giữ {rule['value']} ngày, {by.vi}", f"kept for {rule['value']} days, {by.en}")


def _by(rule: Found) -> Text:
    return Text("mặc định", "by default") if rule["by"] == "default" else Text(rule["by"], rule["by"])


def _size(count: int, lang: str) -> str:
    return f"{number(count // 1_000_000, lang)} MB" if count >= 1_000_000 else f"{number(-(-count // 1000), lang)} KB"
