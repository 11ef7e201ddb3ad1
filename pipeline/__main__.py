"""`python3 -m pipeline …` in a fresh clone: makes the environment once, then runs the command (DESIGN §4.8).

    python3 -m pipeline run      the main job          (Windows: py -m pipeline run)
    python3 -m pipeline test     the tests
    python3 -m pipeline …        any other words go to the motcua command line

Standard library only, and the syntax of Python 3.8, so that an old Python gets words and not a stack trace.
Not here: what is installed (the lock files) and from where (the user's own pip settings decide).
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import time
from contextlib import contextmanager
from pathlib import Path
from subprocess import DEVNULL, PIPE, STDOUT, Popen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator, Sequence
    from typing import BinaryIO

OLDEST = (3, 11)
ROOT = Path(__file__).resolve().parent.parent
RUN_LOCK, DEV_LOCK, PIP_LOCK = "requirements.lock", "requirements-dev.lock", "requirements-pip.lock"
FAILED, INTERRUPTED = 3, 130
# Which Python an environment holds; asked of its pip's Python too, so that one without pip does not answer.
ASK = "import sys, sysconfig, pip; print('%d.%d' % sys.version_info[:2], sysconfig.get_platform())"
START = "import sys; sys.argv[0] = 'motcua'; from pipeline.cli import main; sys.exit(main())"

# Words are pairs: Vietnamese, English.
MIRROR = (
    "Cần mạng, hoặc nguồn gói của cơ quan. Máy chủ gói riêng: đặt biến PIP_INDEX_URL=<địa chỉ>. "
    "Thư mục chứa sẵn các tệp .whl: đặt PIP_NO_INDEX=1 và PIP_FIND_LINKS=<thư mục>. Rồi chạy lại lệnh.",
    "A network is needed, or your own source of packages. Own mirror: set PIP_INDEX_URL=<address>. "
    "A folder of .whl files: set PIP_NO_INDEX=1 and PIP_FIND_LINKS=<folder>. Then run the command again.",
)
PERMISSION = (
    "Kiểm tra quyền của thư mục, đóng các chương trình đang dùng .venv, hoặc chép dự án sang chỗ của mình.",
    "Check the folder's permissions, close the programs that use .venv, or copy the project elsewhere.",
)
# What pip's words mean. First that fits wins: a wrong hash also ends in "no matching distribution".
HINTS = (
    (
        r"DO NOT MATCH THE HASHES|Hashes are required",
        "Gói tải về không đúng mã kiểm (hash) trong tệp khóa: hỏng hoặc đã bị thay. Đừng bỏ qua: tải lại kho "
        "mã nguồn, xóa bộ đệm (python3 -m pip cache purge), hoặc hỏi người quản lý nguồn gói.",
        "A package does not have the hash that the lock file names: damaged, or another file. Do not work "
        "round it: fetch the repository anew, empty the cache (python3 -m pip cache purge), or ask who keeps "
        "the mirror.",
    ),
    (
        r"No space left|ENOSPC|not enough space",
        "Hết chỗ trên đĩa (cần khoảng 1,5 GB). Giải phóng rồi chạy lại.",
        "The disk is full (about 1.5 GB is needed). Make room, then run the command again.",
    ),
    (
        r"CERTIFICATE_VERIFY_FAILED|SSLError|certificate verify failed",
        "Chứng thư của máy chủ gói không được tin cậy: đặt PIP_CERT=<tệp chứng thư của cơ quan>.",
        "The package server's certificate is not trusted: set PIP_CERT=<your organisation's certificate>.",
    ),
    (r"Permission denied|PermissionError|Read-only file system|WinError (5|32)\b", *PERMISSION),
    (
        r"Connection|resolve host|name resolution|timed out|Timeout|ProxyError|Could not find a version"
        r"|No matching distribution|Could not install packages due to an OSError",
        *MIRROR,
    ),
    (
        r"Failed (to build|building)|subprocess-exited-with-error|metadata-generation-failed",
        "Có gói không có bản dựng sẵn cho máy hay Python này: dùng Python 3.11 đến 3.13, 64 bit.",
        "A package has no ready build for this machine or Python: use Python 3.11 to 3.13, 64 bit.",
    ),
)


class Failure(Exception):
    """What failed, what was seen and what to do, in both languages; shown without a stack trace."""

    def __init__(self, vi: str, en: str, found: str = "", todo: Sequence[str] = MIRROR) -> None:
        super().__init__(en)
        self.lines = ["LỖI: " + vi, "  Thấy: " + found, "  Cách xử lý: " + todo[0]]
        self.lines += ["ERROR: " + en, "  Found: " + found, "  What to do: " + todo[1]]


def say(vi: str, en: str) -> None:
    """Progress goes to stderr: stdout belongs to the command (it may be printing JSON)."""
    print(f"{vi}\n  {en}", file=sys.stderr, flush=True)


class Environment:
    """The project's own `.venv`: what it should hold, what it holds, and how to get there."""

    def __init__(self, root: Path = ROOT) -> None:
        self.root, self.folder = root, root / ".venv"
        self.python = self.folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
        self.stamp = self.folder / "motcua-stamp.json"
        self.log = self.folder / "motcua-install.log"
        self.guard = self.folder / "motcua-lock"  # held while an install runs
        self.unfinished = self.folder / "motcua-unfinished"  # what a killed install leaves behind

    def step(self, lock: str) -> str:
        """What is missing: "nothing", "project" (the entry points), "packages", or "all" (make it anew)."""
        if self.unfinished.exists() or not self.python.exists() or not self._has_base():
            return "all"
        try:
            found = json.loads(self.stamp.read_text(encoding="utf-8"))
            # Called by another Python, the environment still serves as long as its own has not changed.
            if found["python"] != this_python() and found["python"] != self._version():
                return "all"
            if found["root"] != str(self.root):  # moved: the scripts in it name their place
                return "all"
            if found["locks"].get(lock) != digest(self.root / lock):
                return "packages"
            return "nothing" if found["project"] == digest(self.root / "pyproject.toml") else "project"
        except (OSError, ValueError, KeyError, TypeError, AttributeError):  # another tool's, or damaged
            own = re.match(r"(\d+)\.(\d+) ", self._version())
            return "packages" if own and (int(own[1]), int(own[2])) >= OLDEST else "all"

    def _has_base(self) -> bool:
        """Whether the Python that the environment was made from is still there."""
        try:
            settings = (self.folder / "pyvenv.cfg").read_text(encoding="utf-8")
        except (OSError, ValueError):
            return False
        home = re.search(r"(?m)^home\s*=\s*(.+?)\s*$", settings)
        return home is not None and Path(home[1]).is_dir()

    def _version(self) -> str:
        try:
            ask = [str(self.python), "-c", ASK]
            return subprocess.run(ask, capture_output=True, text=True, timeout=60).stdout.strip()
        except (OSError, subprocess.SubprocessError):
            return ""

    def ensure(self, lock: str) -> None:
        """Makes or mends the environment, or raises `Failure`. At once, where nothing is missing."""
        if self.step(lock) == "nothing":
            return
        try:
            ours = self.guard.exists() or (self.folder / "pyvenv.cfg").exists()
            if self.folder.exists() and not ours and (self.folder.is_file() or any(self.folder.iterdir())):
                raise Failure(
                    "Thư mục .venv đã có nhưng không phải môi trường Python.",
                    "The folder .venv exists but is not a Python environment.",
                    str(self.folder),
                    ("Đổi tên hoặc xóa .venv rồi chạy lại.", "Rename or remove .venv, then run again."),
                )
            self.folder.mkdir(exist_ok=True)
            with locked(self.guard):
                step = self.step(lock)  # asked again: another process may just have done it
                if step != "nothing":
                    self._mend(lock, step)
        except OSError as error:
            what = ("Không ghi được môi trường .venv.", "Cannot write the environment .venv.")
            raise failure_of(*what, str(error), PERMISSION) from None

    def _mend(self, lock: str, step: str) -> None:
        began = time.monotonic()
        if step == "all":
            self._make()
        before = self._packages()
        self.unfinished.touch()
        try:
            if step != "project":
                count = len(re.findall("(?m)^[a-z].*==", (self.root / lock).read_text(encoding="utf-8")))
                say(f"Đang tải và cài khoảng {count} gói …", f"Fetching and installing {count} packages …")
                # The lock names all there is: nothing to resolve, which older pips cannot do with extras.
                self._pip(lock, "--require-hashes", "--no-deps", "-r", lock)
            say("Đang cài dự án …", "Installing the project …")
            self._pip("motcua", "--no-deps", "--no-build-isolation", "-e", ".")
            self._write_stamp(lock)
            before = self._packages()
        finally:
            if self._packages() == before:  # done, or nothing touched (no network, wrong hash): no half state
                self.unfinished.unlink()
        took = f"{time.monotonic() - began:.0f} s"
        say(f"Môi trường đã sẵn sàng ({took}).", f"The environment is ready ({took}).")

    def _make(self) -> None:
        say("Đang tạo môi trường .venv (một lần, vài phút) …", "Making .venv (once; some minutes) …")
        self.unfinished.touch()
        for child in list(self.folder.iterdir()):
            if child.is_dir() and not child.is_symlink():
                shutil.rmtree(child)
            elif child not in (self.guard, self.unfinished):
                child.unlink()
        # The base Python: an environment may be made anew by a Python that runs inside it.
        base = getattr(sys, "_base_executable", None) or sys.executable
        make = [base, "-m", "venv", str(self.folder)]
        done = subprocess.run(make, capture_output=True, text=True, errors="replace")
        if done.returncode:
            raise no_venv(done.stdout + done.stderr)
        before = self._packages()
        try:  # the pip that comes with an older Python takes twice as long; where a newer one is not to be had, it does
            self._pip("pip", "-q", "--retries", "0", "--require-hashes", "--no-deps", "-r", PIP_LOCK)
        except Failure:
            if self._packages() != before:  # half done: to be made anew
                raise

    def _pip(self, what: str, *args: str) -> None:
        """Runs pip with the user's own settings; its full words go to a log."""
        command = [str(self.python), "-m", "pip", "install", "--progress-bar", "off", *args]
        env = dict(os.environ, PIP_NO_INPUT="1", PIP_DISABLE_PIP_VERSION_CHECK="1", PIP_USER="0")
        env["PYTHONIOENCODING"] = "utf-8"
        words: list[str] = []
        try:
            with Popen(command, cwd=self.root, env=env, stdin=DEVNULL, stdout=PIPE, stderr=STDOUT) as pip:
                for line in pip.stdout or ():
                    words.append(line.decode("utf-8", "replace").rstrip())
                    show(words)
        finally:
            self.log.write_text("\n".join(words) + "\n", encoding="utf-8")
        if pip.returncode:
            details = f".venv/{self.log.name}"
            vi, en = (
                f"Không cài được {what}; chi tiết: {details}",
                f"Could not install {what}; details: {details}",
            )
            raise failure_of(vi, en, "\n".join(words))

    def _packages(self) -> list:
        """What lies directly in site-packages, and since when: pip moves whole folders, any change shows."""
        places = [self.folder / "Lib" / "site-packages", *self.folder.glob("lib/python*/site-packages")]
        entries = (e for p in places if p.is_dir() for e in os.scandir(str(p)))
        return sorted((e.path, e.stat(follow_symlinks=False).st_mtime_ns) for e in entries)

    def _write_stamp(self, lock: str) -> None:
        content = {
            "python": self._version(),
            "root": str(self.root),
            "project": digest(self.root / "pyproject.toml"),
            # the tests' lock holds the other in full, so either command finds itself ready after it
            "locks": {name: digest(self.root / name) for name in (RUN_LOCK, lock)},
        }
        fresh = self.stamp.with_suffix(".new")
        fresh.write_text(json.dumps(content, indent=1), encoding="utf-8")
        os.replace(fresh, self.stamp)


def this_python() -> str:
    return f"{sys.version_info[0]}.{sys.version_info[1]} {sysconfig.get_platform()}"


def show(words: Sequence[str]) -> None:
    """One moving line on a terminal, none in a log."""
    seen = [line.split()[1] for line in words if line.startswith(("Collecting ", "Processing "))]
    if words[-1].startswith("Installing collected") and seen:
        say("Đã tải xong, đang cài …", "Fetched, installing …")
    elif seen and sys.stderr.isatty():
        print(f"  {len(seen):>4}  {os.path.basename(seen[-1])[:40]:<40}", end="\r", file=sys.stderr, flush=True)


def digest(file: Path) -> str:
    """Content hash with line ends as in the repository: a Windows checkout is no other lock."""
    try:
        return hashlib.sha256(file.read_bytes().replace(b"\r\n", b"\n")).hexdigest()
    except OSError as error:
        raise Failure(
            f"Thiếu tệp {file.name}.",
            f"The file {file.name} is missing.",
            str(error),
            ("Tải lại đầy đủ kho mã nguồn.", "Fetch the whole repository again."),
        ) from None


def failure_of(vi: str, en: str, words: str, otherwise: Sequence[str] = MIRROR) -> Failure:
    """A failure with the line that matters and the hint that fits the words."""
    lines = [line.strip() for line in words.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("ERROR")] or lines
    for pattern, *todo in HINTS:
        if re.search(pattern, words, re.IGNORECASE):
            shown = next((line for line in errors if re.search(pattern, line, re.IGNORECASE)), errors[-1])
            return Failure(vi, en, shown[:300], todo)
    return Failure(vi, en, errors[-1][:300] if errors else "", otherwise)


def no_venv(words: str) -> Failure:
    if not re.search(r"ensurepip|No module named", words):
        return failure_of("Không tạo được môi trường .venv.", "Could not make .venv.", words, PERMISSION)
    return Failure(
        "Python này thiếu phần tạo môi trường (venv).",
        "This Python lacks the part that makes environments (venv).",
        words.strip().splitlines()[-1][:300],
        (
            "Debian/Ubuntu: apt install python3-venv. Máy khác: cài bản Python đầy đủ.",
            "Debian/Ubuntu: apt install python3-venv. Elsewhere: install a full Python.",
        ),
    )


@contextmanager
def locked(file: Path) -> Generator[None]:
    """One install at a time. The system lets the lock go when its process dies, so it is never stale."""
    with file.open("ab") as handle:
        if not try_lock(handle):
            say("Một tiến trình khác đang cài, xin chờ …", "Another process is installing, waiting …")
            while not try_lock(handle):
                time.sleep(0.5)
        yield


def try_lock(handle: BinaryIO) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(handle.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:  # a file system without locks: go on without
        return not isinstance(error, (BlockingIOError, PermissionError))
    return True


def installed() -> bool:
    """Whether this Python already has the motcua distribution."""
    from importlib import metadata

    return any(True for _ in metadata.distributions(name="motcua"))


def hand_over(command: list[str]) -> int:
    """Runs the command in our place: signals, exit code and terminal are its own."""
    sys.stdout.flush()
    sys.stderr.flush()
    if os.name == "posix":
        os.execv(command[0], command)
    child = Popen(command)  # Windows: execv would return to the prompt before the command is done
    while True:
        try:
            return child.wait()
        except KeyboardInterrupt:
            continue  # the child has got Ctrl-C too and decides


def begin(args: list[str]) -> int:
    testing = args[:1] == ["test"]
    python = sys.executable
    if not installed():
        environment = Environment()
        environment.ensure(DEV_LOCK if testing else RUN_LOCK)
        python = str(environment.python)
    elif testing and importlib.util.find_spec("pytest") is None:
        raise Failure(
            "Môi trường đang dùng không có công cụ kiểm thử (pytest).",
            "The environment in use has no test tools (pytest).",
            sys.prefix,
            (
                f"Cài: python -m pip install -r {DEV_LOCK}; hoặc chạy lại bằng Python ngoài môi trường này.",
                f"Install: python -m pip install -r {DEV_LOCK}; or run again with a Python outside of it.",
            ),
        )
    if testing:
        os.chdir(ROOT)
        return hand_over([python, "-m", "pytest", *args[1:]])
    return hand_over([python, "-c", START, *args])


def too_old(version: Sequence[int]) -> Failure | None:
    if tuple(version[:2]) >= OLDEST:
        return None
    found, need = ".".join(str(n) for n in version[:3]), ".".join(str(n) for n in OLDEST)
    return Failure(
        f"Motcua cần Python {need} trở lên.",
        f"Motcua needs Python {need} or newer.",
        f"Python {found} ({sys.executable})",
        (
            f"Cài Python mới hơn rồi gọi: python{need} -m pipeline … (Windows: py -{need} -m pipeline …).",
            f"Install a newer Python, then: python{need} -m pipeline … (Windows: py -{need} -m pipeline …).",
        ),
    )


def main(args: list[str] | None = None) -> int:
    try:
        old = too_old(sys.version_info[:3])
        if old:
            raise old
        return begin(sys.argv[1:] if args is None else args)
    except Failure as failure:
        print("\n".join(failure.lines), file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        say("\nĐã dừng. Lần gọi sau sẽ làm lại.", "Stopped. The next call mends it.")
        return INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
