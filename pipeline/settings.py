"""Where things stand on disk, and the only reader of the environment.

Not here: making or reading any of the files.
"""

from __future__ import annotations

import os
import re
import shutil
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from pipeline.declare.text import Text
from pipeline.errors import WrongUse

PROJECT = Path(__file__).resolve().parent.parent
ENGINES = ("duckdb", "spark")
MASTERS = r"local(\[(\*|[1-9]\d*)\])?|yarn|(spark|k8s|sc)://\S+"


@dataclass(frozen=True)
class Home:
    """The folder that holds `data/`. The record is: intake log, archive, seals, restricted store (and its key).

    work: where a re-run conforms and builds instead of in the warehouse; the record is read all the same. Its places are
    asked for once a file, so each is put together once."""

    root: Path
    work: Path | None = None

    @cached_property
    def raw(self) -> Path:
        return self.root / "data" / "raw"

    @cached_property
    def warehouse(self) -> Path:
        return self.root / "data" / "warehouse"

    @cached_property
    def intake_log(self) -> Path:
        return self.warehouse / "intake.jsonl"

    @cached_property
    def seen(self) -> Path:
        """Hashes of the files in data/raw, so that not all are read each night: can be deleted."""
        return self.warehouse / "seen.json"

    @cached_property
    def archive(self) -> Path:
        return self.warehouse / "archive"

    @cached_property
    def versions(self) -> Path:
        return (self.work or self.warehouse) / "versions"

    @cached_property
    def restricted(self) -> Path:
        return self.warehouse / "restricted"

    @cached_property
    def codes(self) -> Path:
        """Dossier codes of each file. Restricted."""
        return (self.work or self.restricted) / "codes"

    @cached_property
    def unit_names(self) -> Path:
        """Names of units that no list knows, of each file. Restricted."""
        return (self.work or self.restricted) / "units"

    @cached_property
    def seals(self) -> Path:
        return self.warehouse / "seals"

    @cached_property
    def as_known(self) -> Path:
        """Databases of what was known at earlier times: each can be deleted and is built again when asked for."""
        return self.warehouse / "as_known"

    @cached_property
    def outputs(self) -> Path:
        """Forms, workbook, report section and page of the quarters, as the nights keep them ready: a folder each."""
        return self.warehouse / "outputs"

    @cached_property
    def releases(self) -> Path:
        return self.warehouse / "releases"

    @cached_property
    def pointer(self) -> Path:
        return self.warehouse / "CURRENT"

    @cached_property
    def lock(self) -> Path:
        return self.warehouse / "build.lock"

    @cached_property
    def last_run(self) -> Path:
        return self.warehouse / "last_run.json"

    @cached_property
    def section_template(self) -> Path:
        """The office's own Word template of the report section; where there is none, the built-in one is used."""
        return self.root / "data" / "templates" / "bao_cao_muc_I3.docx"

    @cached_property
    def dagster(self) -> Path:
        return self.root / ".dagster"


def find_home(given: str | Path | None = None) -> Home:
    """The home: as given, else MOTCUA_HOME, else the folder one stands in if it has data/raw, else the project."""
    named = given or os.environ.get("MOTCUA_HOME")
    if named:
        root = Path(named).expanduser().resolve()
        if not root.is_dir():
            raise WrongUse(
                Text("Không có thư mục này.", "There is no such folder."),
                where=str(named),
                todo=Text(
                    "Tạo thư mục, hoặc chỉ đúng --home / MOTCUA_HOME.",
                    "Make it, or correct --home / MOTCUA_HOME.",
                ),
            )
        return Home(root)
    here = Path.cwd()
    return Home(here if (here / "data" / "raw").is_dir() else PROJECT)


def no_idle_threads() -> None:
    """numpy starts no threads for matrices, which never come and are waited for busily. Before it is imported."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def memory_limit() -> str | None:
    """Memory limit of a build, e.g. "2GB" or "40%" (MOTCUA_MEMORY_LIMIT); None = from the machine (warehouse/room.py)."""
    return os.environ.get("MOTCUA_MEMORY_LIMIT") or None


def keep_releases() -> int | None:
    """How many releases stay on disk (MOTCUA_KEEP_RELEASES, before any declared number); None = as declared."""
    words = os.environ.get("MOTCUA_KEEP_RELEASES", "")
    return max(2, int(words)) if words.isdigit() else None


def settle_seconds() -> float:
    """For how long a new file must have stayed unchanged before it is read (MOTCUA_SETTLE_SECONDS, default 2)."""
    words = os.environ.get("MOTCUA_SETTLE_SECONDS", "2")
    return min(float(words), 600) if re.fullmatch(r"\d+(\.\d+)?", words) else 2


def notice_target() -> str | None:
    """Where a failed night is told (MOTCUA_NOTICE): a web hook address, or a file to append to; None = log only."""
    return os.environ.get("MOTCUA_NOTICE") or None


def engine() -> str:
    """What counts the dossiers (MOTCUA_ENGINE): "duckdb", or "spark" (measure/spark.py). Raises WrongUse."""
    return _known("MOTCUA_ENGINE", ENGINES[0], "|".join(ENGINES), ", ".join(ENGINES))


def spark_master() -> str:
    """Where Spark counts (MOTCUA_SPARK): this machine, a cluster's master, or a Spark Connect address. Raises WrongUse."""
    return _known("MOTCUA_SPARK", "local[*]", MASTERS, "local[*], local[4], yarn, spark://…, k8s://…, sc://…:15002")


def spark_folder() -> Path | None:
    """Where dossiers and counts are handed to Spark and back (MOTCUA_SPARK_FOLDER): a folder that has the same path on
    all its machines; None = not set, which will do where Spark runs on this machine. Raises WrongUse."""
    words = os.environ.get("MOTCUA_SPARK_FOLDER")
    if words and not Path(words).is_dir():
        raise wrong("MOTCUA_SPARK_FOLDER", words, Text("một thư mục đã có", "a folder that is there"))
    return Path(words).resolve() if words else None


def java() -> str | None:
    """The Java that Spark would start: JAVA_HOME's, else the one on the PATH; None = there is none."""
    home = os.environ.get("JAVA_HOME")
    return shutil.which("java", path=str(Path(home) / "bin") if home else None)


def free_spark_address() -> None:
    """Takes away the address of this machine alone that pandera sets when it is imported (SPARK_LOCAL_IP): at it the
    machines of a cluster would look for the driver on themselves."""
    if os.environ.get("SPARK_LOCAL_IP") == "127.0.0.1":
        del os.environ["SPARK_LOCAL_IP"]


def _known(name: str, usual: str, pattern: str, examples: str) -> str:
    words = os.environ.get(name) or usual
    if not re.fullmatch(pattern, words):
        raise wrong(name, words, Text(examples, examples))
    return words


def wrong(name: str, words: str, expected: Text) -> WrongUse:
    """What to raise where an environment variable has a value that cannot be used."""
    return WrongUse(
        Text(f"Biến môi trường {name} có giá trị không dùng được.", f"The environment variable {name} cannot be used."),
        expected=expected,
        found=Text(words[:80], words[:80]),
        todo=Text(f"Sửa hoặc bỏ {name} rồi chạy lại.", f"Correct or remove {name}, then run again."),
    )


def set_dagster_home(home: Home) -> None:
    """Dagster reads its own variable; it must be absolute and exist. The home itself is passed on to its processes."""
    home.dagster.mkdir(parents=True, exist_ok=True)
    os.environ["DAGSTER_HOME"] = str(home.dagster)
    os.environ["MOTCUA_HOME"] = str(home.root)
