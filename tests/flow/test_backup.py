"""From the command line: the record goes to another machine in one file, and gives the same figures there; a backup
that was cut, altered or made to harm is refused, and leaves nothing."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import shutil
import tarfile
import zlib
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from pipeline import night
from pipeline.audit.rerun import rerun
from pipeline.audit.sealing import seal
from pipeline.declare.periods import parse_period
from pipeline.errors import Busy, InputRefused, WrongUse
from pipeline.settings import Home
from pipeline.warehouse import backup as backups
from pipeline.warehouse import keeping, record, restoring
from pipeline.warehouse.lock import one_build
from pipeline.warehouse.record import read_log
from pipeline.warehouse.seals import read_seals
from pipeline.warehouse.withdrawal import withdraw
from tests.conftest import Said
from tests.unit.office import Office, dossier, opened
from tests.unit.test_releases import rows_of_table, tables

Command = Callable[..., Said]
ALIASES = "written,unit_id\nUBND Gioan,19522\n"


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Office:
    """A machine with sources, an alias file, a declaration changed since, a file taken back, one expired, a seal."""
    office = Office(tmp_path_factory.mktemp("máy [1] cũ"))
    office.source('name = "Sổ một cửa"\n')
    office.drop("quý 3.csv", [dossier(), opened(), dossier(unit="UBND Gioan"), dossier(due_at="hôm qua")])
    office.drop("sai.csv", [dossier(), dossier()])
    office.home.raw.joinpath("unit_aliases.csv").write_text(ALIASES, encoding="utf-8")
    assert office.night().changed
    seal(office.home, parse_period("2023-Q3"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keeping, "now", lambda: record.now() + timedelta(days=100))
        office.home.raw.joinpath("retention.toml").write_text("raw_files_days = 99\n", encoding="utf-8")
        office.night()
    assert all(e.expired_at for e in read_log(office.home))
    office.drop("sau.csv", [dossier(), dossier(unit="UBND Gioan")])
    office.source('name = "Sổ một cửa"\n[rules]\nlateness = "timestamp"\n')
    office.drop("rút.csv", [dossier()])
    office.home.raw.joinpath("retention.toml").write_text("releases = 3\n", encoding="utf-8")
    assert not office.night().refused
    withdraw(office.home, "rút.csv", "nhầm")
    office.source('name = "Sổ một cửa, đổi tên"\n[rules]\nlateness = "timestamp"\n')
    assert office.night().changed
    seal(office.home, parse_period("2023-M08"))
    return office


@pytest.fixture
def saved(first: Office, tmp_path: Path) -> Path:
    file = tmp_path / "sao lưu.tar.gz"
    backups.backup(first.home, file)
    return file


def other(tmp_path: Path) -> Home:
    root = tmp_path / "máy mới"
    root.mkdir()
    return Home(root)


def everything(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def record_of(home: Home) -> dict[str, bytes]:
    return {
        name: content
        for name, content in everything(home.warehouse).items()
        if name.split("/")[0] in restoring.RECORD and not name.endswith(".part")
    }


# ---- moved


def test_another_machine_publishes_the_same_figures(first: Office, tmp_path: Path, motcua: Command) -> None:
    file, home = tmp_path / "b.tar.gz", other(tmp_path)
    said = motcua(first.home, "backup", str(file))
    assert said.code == 0 and "dữ liệu cá nhân" in said.out and "khóa" in said.out
    said = motcua(home, "restore", str(file))
    assert said.code == 0 and "motcua run" in said.out
    assert record_of(home) == record_of(first.home)
    assert [p.name for p in home.raw.rglob("*.csv")] == ["unit_aliases.csv"], "no export came along"
    run = motcua(home, "run")
    assert run.code == 1, "as on the first machine: one row is rejected"
    with first.open() as old, Office(home.root).open() as new:
        before, after = tables(old), tables(new)
    assert before["file"] and len(before["dossier"]) == 7 and before["period_count"] and before["indicator_value"]
    assert before.keys() == after.keys()
    for name, rows in before.items():
        assert after[name] == rows, name
    for words in (("stats", "--period", "2023-Q3"), ("indicators", "--period", "2023-Q3"), ("rejects",)):
        assert motcua(home, *words, "--format", "csv").out == motcua(first.home, *words, "--format", "csv").out
    assert [s.period for s in read_seals(home)] == ["2023-Q3", "2023-M08"]
    for one in read_seals(home):
        again = rerun(home, one)
        assert again.identical and again.exit_code == 0, [f.where for f in again.faults]


def test_the_restricted_store_is_its_owners_alone(saved: Path, tmp_path: Path) -> None:
    home = other(tmp_path)
    backups.restore(home, saved)
    if os.name == "posix":
        assert saved.stat().st_mode & 0o777 == 0o600
        for folder in (home.restricted, home.codes, home.archive):
            assert folder.stat().st_mode & 0o777 == 0o700, folder
        for path in (*home.restricted.rglob("*"), *home.archive.rglob("*")):
            assert path.is_dir() or path.stat().st_mode & 0o077 == 0, path
    assert not restoring.restored(home).exists() and not (home.warehouse / "restoring").exists()


def test_the_same_record_gives_the_same_members_in_the_same_order(first: Office, saved: Path, tmp_path: Path) -> None:
    again = tmp_path / "lần hai.tar.gz"
    backups.backup(first.home, again)
    names = [name for name, _ in members(saved)]
    assert names == [name for name, _ in members(again)] and names[-1] == "manifest.json"
    assert names[:-1] == sorted(names[:-1])
    assert dict(members(saved)[:-1]) == dict(members(again)[:-1])
    assert "declared/so/source.toml" in names and "record/restricted/key" in names
    assert not any(".part" in name or "versions" in name or "releases" in name for name in names)


def test_where_a_backup_may_stand(first: Office, tmp_path: Path, motcua: Command) -> None:
    home, file = first.home, tmp_path / "b.tar.gz"
    for inside in (home.raw / "b.tar.gz", home.raw / "so" / "b.tar.gz", home.archive / "b.tar.gz"):
        for force in ((), ("--force",)):
            assert motcua(home, "backup", str(inside), *force).code == 2 and not inside.exists()
    assert motcua(home, "backup", str(tmp_path / "không có" / "b.tar.gz")).code == 2
    assert motcua(home, "backup", str(tmp_path)).code == 2
    file.write_bytes(b"quan trong")
    refused = motcua(home, "backup", str(file), "--lang", "en")
    assert refused.code == 2 and "--force" in refused.err and file.read_bytes() == b"quan trong"
    assert motcua(home, "backup", str(file), "--force").code == 0 and len(members(file)) > 10
    assert not [p for p in tmp_path.iterdir() if p.name.endswith(".part")]
    empty = other(tmp_path)
    assert motcua(empty, "backup", str(tmp_path / "c.tar.gz")).code == 2


@pytest.mark.parametrize("step", ["the first member", "the new name"])
def test_a_killed_backup_leaves_the_old_one(
    first: Office, saved: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    before = saved.read_bytes()

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(*((backups, "_member", killed) if step == "the first member" else (os, "replace", killed)))
        backups.backup(first.home, saved, force=True)
    assert saved.read_bytes() == before and len(list(saved.parent.iterdir())) == 1


def test_a_backup_waits_for_no_half_run(first: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backups, "WAIT_SECONDS", 0.1)
    with one_build(first.home), pytest.raises(Busy):
        backups.backup(first.home, tmp_path / "b.tar.gz")


def test_damage_on_the_first_machine_is_told(first: Office, tmp_path: Path, motcua: Command) -> None:
    root = tmp_path / "hỏng"
    shutil.copytree(first.home.root, root)
    home = Home(root)
    here, gone = (e for e in read_log(home) if not e.expired_at)
    record.archived(home, gone.sha256).unlink()
    record.archived(home, here.sha256).write_bytes(b"khac")
    said = motcua(home, "backup", str(tmp_path / "b.tar.gz"))
    assert said.code == 1 and gone.place in said.err and here.sha256 in said.err
    assert "record/seals" not in said.err
    (home.seals / "chain.jsonl").write_bytes(b"{}\n")
    said = motcua(home, "backup", str(tmp_path / "c.tar.gz"))
    assert said.code == 1 and "record/seals" in said.err


# ---- refused where something stands already


def test_a_record_is_never_replaced(first: Office, saved: Path, tmp_path: Path, motcua: Command) -> None:
    office = Office(tmp_path / "có rồi")
    office.drop("a.csv", [dossier()])
    office.night()
    before = everything(office.home.root)
    said = motcua(office.home, "restore", str(saved))
    assert said.code == 2 and "--home" in said.err
    assert everything(office.home.root).keys() == before.keys()
    assert {n: c for n, c in everything(office.home.root).items() if "lock" not in n} == {
        n: c for n, c in before.items() if "lock" not in n
    }


def test_a_declaration_that_differs_is_not_replaced(saved: Path, tmp_path: Path, motcua: Command) -> None:
    home = other(tmp_path)
    own = home.raw / "so" / "source.toml"
    own.parent.mkdir(parents=True)
    own.write_text('name = "khác"', encoding="utf-8")
    said = motcua(home, "restore", str(saved))
    assert said.code == 2 and "data/raw/so/source.toml" in said.err
    assert own.read_text(encoding="utf-8") == 'name = "khác"' and record_of(home) == {}
    own.unlink()
    assert motcua(home, "restore", str(saved)).code == 0 and own.exists()


@pytest.mark.parametrize("step", range(1, 9))
def test_a_restore_killed_between_its_moves_is_finished(
    first: Office, saved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    """By whoever takes the lock next; before the check was through, nothing of it is there."""
    home, count, replace = other(tmp_path), 0, os.replace

    def killed(source: Any, target: Any) -> None:
        nonlocal count
        count += 1
        if count == step:
            raise KeyboardInterrupt
        replace(source, target)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(os, "replace", killed)
        backups.restore(home, saved)
    if step == 1:
        assert record_of(home) == {}
        backups.restore(home, saved)
    else:
        with one_build(home):
            assert record_of(home) == record_of(first.home)
    assert record_of(home) == record_of(first.home) and (home.raw / "so" / "source.toml").exists()
    assert not restoring.restored(home).exists()


# ---- refused by the name of the member

Members = list[tuple[str, bytes]]


def members(file: Path) -> Members:
    with tarfile.open(file) as tar:
        return [(info.name, stream.read()) for info in tar if (stream := tar.extractfile(info))]


def written(file: Path, content: Members, *more: tarfile.TarInfo, manifest: bool = True) -> Path:
    """A backup of these members with a manifest that agrees with them, so that only what is planted is wrong."""
    plain = [(name, data) for name, data in content if name != "manifest.json"]
    told = [{"name": n, "size": len(d), "sha256": hashlib.sha256(d).hexdigest()} for n, d in plain]
    node = {"kind": "motcua backup", "format": 1, "files": told}
    with tarfile.open(file, "w:gz") as tar:
        for info in more:
            tar.addfile(info)
        for name, data in plain + ([("manifest.json", json.dumps(node).encode())] if manifest else []):
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return file


def refused(home: Home, file: Path) -> str:
    with pytest.raises((InputRefused, WrongUse)) as caught:
        backups.restore(home, file)
    assert record_of(home) == {} and not home.raw.exists(), "nothing may be left"
    assert not (home.warehouse / "restoring").exists() and not restoring.restored(home).exists()
    assert caught.value.exit_code == 2 and caught.value.found
    return str(caught.value.found)


def test_what_is_written_by_hand_is_a_backup(saved: Path, tmp_path: Path) -> None:
    """So that the refusals below have no other cause."""
    home = other(tmp_path)
    backups.restore(home, written(tmp_path / "b", members(saved)))
    assert read_log(home)


@pytest.mark.parametrize(
    "name",
    [
        "../ngoai.txt",
        "record/../../ngoai.txt",
        "record/archive/../../../ngoai.txt",
        "/tmp/ngoai.txt",
        "record//intake.jsonl",
        "record/./intake.jsonl",
        "record\\archive\\x",
        "C:/ngoai.txt",
        "record/archive/c:x",
        "record/archive/aux",
        "record/archive/nul.txt",
        "record/archive/x.",
        "record/versions/x/file.json",
        "record/CURRENT",
        "declared/so/a.csv",
        "declared/../x/source.toml",
        "declared/so/sau/source.toml",
        "ngoai.txt",
        "record",
    ],
)
def test_hostile_names(saved: Path, tmp_path: Path, name: str) -> None:
    file = written(tmp_path / "b", [*members(saved), (name, b"x")])
    assert name.replace("\\", "\\") in refused(other(tmp_path), file)
    assert not (tmp_path / "ngoai.txt").exists() and not Path("/tmp/ngoai.txt").exists()


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE])
def test_links_and_other_than_files(saved: Path, tmp_path: Path, kind: bytes) -> None:
    link = tarfile.TarInfo("record/archive/lien_ket")
    link.type, link.linkname = kind, "/etc/passwd"
    assert "record/archive/lien_ket" in refused(other(tmp_path), written(tmp_path / "b", members(saved), link))


def test_altered_missing_added_and_doubled_members(saved: Path, tmp_path: Path) -> None:
    whole = members(saved)
    log = next(i for i, (name, _) in enumerate(whole) if name == "record/intake.jsonl")
    home = other(tmp_path)

    def tampered(change: Callable[[Members], object]) -> str:
        """The members changed, the manifest as it was."""
        content = list(whole)
        change(content)
        with tarfile.open(tmp_path / "b", "w:gz") as tar:
            for name, data in content:
                info = tarfile.TarInfo(name)
                info.size = len(data)
                tar.addfile(info, io.BytesIO(data))
        return refused(home, tmp_path / "b")

    name, data = whole[log]
    said = tampered(lambda c: c.__setitem__(log, (name, data.replace(b"quy", b"Quy", 1).replace(b"sai", b"sao", 1))))
    assert name in said and "manifest" in said
    assert name in tampered(lambda c: c.__setitem__(log, (name, data + b"{}\n")))
    assert name in tampered(lambda c: c.pop(log))
    assert "record/seals/them" in tampered(lambda c: c.insert(0, ("record/seals/them", b"x")))
    assert name in tampered(lambda c: c.insert(0, whole[log]))
    assert "manifest.json" in tampered(lambda c: c.pop())
    assert "record/seals/sau" in tampered(lambda c: c.append(("record/seals/sau", b"x")))
    assert "manifest.json" in tampered(lambda c: c.__setitem__(-1, ("manifest.json", b"{")))
    assert "record/intake.jsonl" in refused(home, written(tmp_path / "b", [m for m in whole if m[0] != name]))


def test_cut_short_anywhere(saved: Path, tmp_path: Path) -> None:
    """Told by the member that was being read."""
    content, home = saved.read_bytes(), other(tmp_path)
    names = [name for name, _ in members(saved)]
    file = tmp_path / "b"
    for tenth in range(10):
        file.write_bytes(content[: len(content) * tenth // 10])
        said = refused(home, file)
        assert any(name in said for name in names) or tenth < 2, said
    file.write_bytes(content[:-1])
    assert "manifest.json" in refused(home, file)
    file.write_bytes(b"PK\x03\x04 khong phai ban sao luu")
    refused(home, file)


def test_no_bit_may_turn(saved: Path, tmp_path: Path) -> None:
    """Behind the ten bytes of gzip's own head, which say nothing of the content; nor do some bits of its packing."""
    content, home, file = saved.read_bytes(), other(tmp_path), tmp_path / "b"
    for at in range(10, len(content), max(1, len(content) // 40)):
        file.write_bytes(content[:at] + bytes([content[at] ^ 0x10]) + content[at + 1 :])
        try:
            same = gzip.decompress(file.read_bytes()) == gzip.decompress(content)
        except (OSError, EOFError, zlib.error):
            same = False
        assert same or refused(home, file)


def test_a_backup_larger_than_the_disk(saved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also one that unpacks to far more than it is."""
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=10_000_000))
    file = written(tmp_path / "b", [("record/archive/0", b"\0" * 20_000_000), *members(saved)])
    assert file.stat().st_size < 10_000_000
    assert "record/archive/0" in refused(other(tmp_path), file)


def test_a_declaration_that_was_taken_away_stays_away(tmp_path: Path) -> None:
    """Beside exports without a source.toml the defaults count; on the other machine there are no exports to say so."""
    office = Office(tmp_path / "a")
    office.source('name = "Xưa"')
    office.drop("a.csv", [dossier()])
    office.night()
    (office.home.raw / "so" / "source.toml").unlink()
    office.night()
    backups.backup(office.home, tmp_path / "b")
    home = other(tmp_path)
    backups.restore(home, tmp_path / "b")
    night.run(home)
    with office.open() as old, Office(home.root).open() as new:
        assert rows_of_table(old, "file") == (found := rows_of_table(new, "file")) and found[0][2] == "so"


def test_names_of_sources_in_any_script(tmp_path: Path) -> None:
    office = Office(tmp_path / "a")
    (office.home.raw / "Sổ phường [1]").mkdir(parents=True)
    (office.home.raw / "Sổ phường [1]" / "source.toml").write_text('name = "x"', encoding="utf-8")
    office.drop("a.csv", [dossier()], key="Sổ phường [1]")
    office.night()
    backups.backup(office.home, tmp_path / "b")
    home = other(tmp_path)
    backups.restore(home, tmp_path / "b")
    assert (home.raw / "Sổ phường [1]" / "source.toml").exists()
