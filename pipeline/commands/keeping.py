"""Commands that move the record to another machine: backup, restore."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipeline.commands.shared import common, motcua
from pipeline.declare.text import Text

if TYPE_CHECKING:
    from pipeline.settings import Home
    from pipeline.warehouse.backup import Saved

FILE = click.Path(path_type=Path)
MOST_NAMED = 10


@motcua.command()
@common
@click.argument("file", type=FILE)
@click.option("--force", is_flag=True, help="Ghi đè tệp đã có / replace a file that exists.")
def backup(home: Home, lang: str, file: Path, force: bool) -> None:
    """Sao lưu hồ sơ gốc vào một tệp (*.tar.gz): nhật ký, tệp gốc, bản chốt, kho hạn chế, khóa. / The record as one file."""
    from pipeline.warehouse.backup import backup as save

    saved = save(home, file, force)
    done = Text(
        f"Đã sao lưu vào {saved.file}: {_counts(saved).vi}.",
        f"Backed up to {saved.file}: {_counts(saved).en}.",
    )
    warning = Text(
        "Tệp này chứa tệp gốc có dữ liệu cá nhân, mã hồ sơ và khóa băm, không mã hóa: ai có tệp thì đọc được hết. "
        "Giữ như giữ chính kho dữ liệu: ổ đĩa khóa được, không gửi qua thư hay mạng xã hội, không đưa vào git.",
        "This file holds raw files with personal data, the dossier codes and the key of the hashes, not encrypted: who "
        "has the file can read it all. Keep it like the data itself: on a disk under lock, not by mail, not in git.",
    )
    click.echo(f"{done[lang]}\n{warning[lang]}")
    if saved.damaged:
        named = ", ".join(saved.damaged[:MOST_NAMED]) + (", …" if len(saved.damaged) > MOST_NAMED else "")
        text = Text(
            f"Hồ sơ gốc ở máy này đã thiếu hoặc hỏng ở: {named}. Bản sao lưu giữ nguyên như thế; tìm bản sao lưu cũ hơn.",
            f"The record of this machine lacks, or holds damaged: {named}. So does the backup; look for an older one.",
        )
        click.echo(text[lang], err=True)
        sys.exit(1)


@motcua.command()
@common
@click.argument("file", type=FILE)
def restore(home: Home, lang: str, file: Path) -> None:
    """Khôi phục bản sao lưu vào một thư mục chưa có hồ sơ gốc. / Put a backup into a home without a record."""
    from pipeline.warehouse.backup import restore as bring_back

    saved = bring_back(home, file)
    text = Text(
        f"Đã khôi phục vào {home.root}: {_counts(saved).vi}, mọi mã băm đều khớp.\n"
        "Công bố số liệu ở đây: motcua run. Tệp trong data/raw không đi kèm: không cần, trừ khi muốn giữ.",
        f"Restored to {home.root}: {_counts(saved).en}, every hash is right.\n"
        "Publish the figures here: motcua run. The files of data/raw do not come along: they are not needed.",
    )
    click.echo(text[lang])


def _counts(saved: Saved) -> Text:
    size = -(-saved.bytes // 1_000_000)
    return Text(
        f"{saved.files} tệp, {size} MB, {saved.sealed} bản chốt",
        f"{saved.files} files, {size} MB, {saved.sealed} seals",
    )
