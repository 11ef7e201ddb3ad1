"""The house rules of DESIGN §3 and §4.8.

Each rule is a function from sources to complaints, and is itself proved able to complain on a planted case:
a rule that cannot fail guards nothing.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.conventions import ROOT, tree

ROOMS = (
    "declare",
    "read",
    "conform",
    "validate",
    "warehouse",
    "measure",
    "report",
    "night",
    "audit",  # a re-run is a build, held against a seal
    "commands",
    "cli",
)
SHARED = ("settings", "errors")  # importable by every room, with declare.text
TOP_LEVEL = {
    *("assets", "data", "docs", "notebooks", "pipeline", "tests", ".ci"),
    *(
        "README.md",
        "CHANGELOG.md",
        "LICENSE",
        "pyproject.toml",
        "requirements.lock",
        "requirements-dev.lock",
        "requirements-pip.lock",
        "requirements-spark.lock",
        "dagster.yaml",
    ),
    *(".gitignore", ".gitattributes"),
}
LONGEST = 400
FRAME_WORK = {"pandas", "polars", "duckdb"}
SQL = re.compile(
    r"\b(SELECT|INSERT INTO|DELETE FROM|CREATE (OR REPLACE )?(TEMP )?(TABLE|VIEW)|ATTACH|PRAGMA)\b"
    r"|^\s*(?i:select\b.*\bfrom|insert\s+into|delete\s+from|update\s+\w+\s+set|create\s+(or\s+replace\s+)?(table|view))\b",
    re.DOTALL,
)
Rule = Callable[[str, ast.Module], Iterator[str]]


# ---- (a) rooms and directions


def imports(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Every imported dotted name, wherever it stands; `from a import b` gives a.b, which may be a module."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((node.lineno, f"{'.' * node.level}{node.module or ''}.{a.name}") for a in node.names)
        elif isinstance(node, ast.Call) and _name(node.func) in (
            "import_module",
            "importlib.import_module",
            "__import__",
        ):
            yield from ((node.lineno, a.value) for a in node.args[:1] if isinstance(a, ast.Constant))


def _name(node: ast.expr) -> str:
    return ast.unparse(node) if isinstance(node, ast.Name | ast.Attribute) else ""


def room_of(dotted: str) -> str:
    """pipeline.read.csv → read; pipeline → "" (the package itself)."""
    return dotted.split(".")[1] if "." in dotted else ""


def module_of(path: str) -> str:
    return path.removesuffix(".py").replace("/", ".").removesuffix(".__init__")


def one_direction(path: str, tree: ast.Module) -> Iterator[str]:
    here = room_of(module_of(path))
    if not path.startswith("pipeline/") or here in ("", "__main__"):
        return
    if here not in (*ROOMS, *SHARED):
        yield f"{path}: the room “{here}” has no place in the order; put it in one of {', '.join(ROOMS)}"
        return
    for line, name in imports(tree):
        there = room_of(name) if name.startswith("pipeline.") else None
        if name.startswith("."):
            yield f"{path}:{line}: write the full name: from pipeline.{here} import …"
        elif there is None or there == here or there in SHARED or name.startswith("pipeline.declare.text"):
            continue
        elif here in SHARED:
            yield f"{path}:{line}: {here}.py is for all rooms and imports none: move what it needs here"
        elif there not in ROOMS and there != "open_published":
            continue  # pipeline.__version__ and the like
        elif there == "open_published" or ROOMS.index(there) > ROOMS.index(here):
            yield (
                f"{path}:{line}: {here} imports {name}, to its right in {' ← '.join(ROOMS)}: move the "
                f"code that needs it to {there}, or what is needed of it to {here} or further left"
            )


def no_dagster(path: str, tree: ast.Module) -> Iterator[str]:
    for line, name in imports(tree):
        top = name.split(".")[0]
        if path.startswith("pipeline/") and re.match(r"dagster($|_)", top):
            yield f"{path}:{line}: pipeline/ never imports Dagster: move this to assets/"
        if path.startswith("pipeline/") and top == "assets" and room_of(module_of(path)) != "commands":
            yield f"{path}:{line}: only pipeline/commands may import assets: move the start of the job there"


def thin_assets(path: str, tree: ast.Module) -> Iterator[str]:
    if not path.startswith("assets/"):
        return
    for line, name in imports(tree):
        if name.split(".")[0] in FRAME_WORK:
            yield f"{path}:{line}: assets/ does no frame work ({name}): move it to a function in pipeline/"
    told = _docstrings(tree)
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and node not in told
            and SQL.search(node.value)
        ):
            yield f"{path}:{node.lineno}: assets/ holds no SQL: move it to pipeline/warehouse/ or measure/"


def _docstrings(tree: ast.Module) -> set[ast.AST]:
    holders = (
        n for n in ast.walk(tree) if isinstance(n, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
    )
    return {h.body[0].value for h in holders if h.body and isinstance(h.body[0], ast.Expr)}


def one_writer(path: str, tree: ast.Module) -> Iterator[str]:
    if path.startswith("pipeline/warehouse/"):
        return
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.ImportFrom)
            and node.module == "duckdb"
            and any(a.name == "connect" for a in node.names)
        ):
            yield f"{path}:{node.lineno}: write duckdb.connect, so that it can be seen who opens what"
        if isinstance(node, ast.Call) and _name(node.func) == "duckdb.connect" and not _harmless(node):
            yield (
                f"{path}:{node.lineno}: only pipeline/warehouse/ opens DuckDB for writing: move it there, or "
                "give read_only=True (a connection in memory, duckdb.connect(), is free)"
            )


def _harmless(call: ast.Call) -> bool:
    words = {k.arg: k.value for k in call.keywords}
    if isinstance(words.get("read_only"), ast.Constant) and words["read_only"].value is True:
        return True
    database = call.args[0] if call.args else words.get("database")
    return database is None or (isinstance(database, ast.Constant) and database.value == ":memory:")


def one_reader_of_environment(path: str, tree: ast.Module) -> Iterator[str]:
    if path in ("pipeline/settings.py", "pipeline/__main__.py"):
        return
    for node in ast.walk(tree):
        touched = isinstance(node, ast.Attribute) and _name(node) in (
            "os.environ",
            "os.environb",
            "os.getenv",
            "os.putenv",
        )
        taken = isinstance(node, ast.ImportFrom) and node.module == "os" and any("env" in a.name for a in node.names)
        if touched or taken:
            yield f"{path}:{node.lineno}: only pipeline/settings.py reads the environment: ask it there"


# ---- (e) small files that say what they are for


def short_and_told(path: str, tree: ast.Module) -> Iterator[str]:
    if not ast.get_docstring(tree):
        yield f"{path}: says nothing of what it is for: give it a docstring"


def not_long(path: str, text: str) -> Iterator[str]:
    if (lines := text.count("\n")) > LONGEST:
        yield f"{path}: {lines} lines; at most {LONGEST}: split it by what its parts are for"


RULES: tuple[Rule, ...] = (
    one_direction, no_dagster, thin_assets, one_writer, one_reader_of_environment, short_and_told,
)  # fmt: skip


def sources() -> Iterator[tuple[str, str]]:
    for folder in ("pipeline", "assets"):
        for file in sorted((ROOT / folder).rglob("*.py")):
            yield file.relative_to(ROOT).as_posix(), file.read_text(encoding="utf-8")


def complaints(rule: Rule) -> list[str]:
    return [c for path, text in sources() for c in rule(path, ast.parse(text, path))]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_rule_holds(rule: Rule) -> None:
    found = complaints(rule)
    assert not found, "\n".join(found)


PLANTED = [
    (one_direction, "pipeline/read/csv.py", "from pipeline.warehouse import build", "move the code"),
    (one_direction, "pipeline/read/csv.py", "import pipeline.measure.answers", "move the code"),
    (one_direction, "pipeline/read/csv.py", "from pipeline import conform", "move the code"),
    (one_direction, "pipeline/measure/a.py", "def f():\n    from pipeline.cli import main", "move the code"),
    (one_direction, "pipeline/read/csv.py", "from pipeline import open_published", "move the code"),
    (one_direction, "pipeline/read/csv.py", "from ..conform import rows", "full name"),
    (one_direction, "pipeline/errors.py", "from pipeline.declare.units import units", "imports none"),
    (one_direction, "pipeline/helpers/a.py", "x = 1", "no place in the order"),
    (no_dagster, "pipeline/night.py", "import dagster as dg", "move this to assets/"),
    (no_dagster, "pipeline/night.py", "from dagster_webserver.cli import main", "move this to assets/"),
    (
        no_dagster,
        "pipeline/night.py",
        "import importlib\nimportlib.import_module('dagster')",
        "move this to assets/",
    ),
    (no_dagster, "pipeline/night.py", "from assets.definitions import defs", "only pipeline/commands"),
    (thin_assets, "assets/night.py", "import polars as pl", "frame work"),
    (thin_assets, "assets/night.py", "con.execute('SELECT 1')", "no SQL"),
    (thin_assets, "assets/night.py", "con.execute(f'select x\\nfrom {table}')", "no SQL"),
    (one_writer, "pipeline/measure/a.py", "duckdb.connect(path)", "read_only=True"),
    (one_writer, "pipeline/measure/a.py", "duckdb.connect(path, read_only=False)", "read_only=True"),
    (one_writer, "pipeline/measure/a.py", "from duckdb import connect", "duckdb.connect"),
    (one_reader_of_environment, "pipeline/cli.py", "import os\nos.environ['A']", "settings.py"),
    (one_reader_of_environment, "assets/a.py", "import os\nos.getenv('A')", "settings.py"),
    (one_reader_of_environment, "pipeline/cli.py", "from os import environ", "settings.py"),
    (short_and_told, "pipeline/read/csv.py", "x = 1", "docstring"),
]


@pytest.mark.parametrize(("rule", "path", "snippet", "says"), PLANTED)
def test_rule_can_complain(rule: Rule, path: str, snippet: str, says: str) -> None:
    assert any(says in c for c in rule(path, ast.parse(snippet))), "the planted fault was not noticed"


ALLOWED = [
    (
        one_direction,
        "pipeline/measure/a.py",
        "from pipeline.warehouse import release\nfrom pipeline.settings import Home",
    ),
    (one_direction, "pipeline/errors.py", "from pipeline.declare.text import Text"),
    (one_direction, "pipeline/cli.py", "from pipeline import __version__, night"),
    (no_dagster, "pipeline/commands/nightly.py", "from assets.definitions import defs"),
    (
        thin_assets,
        "assets/a.py",
        '"""Select what is new from the folder."""\nx = "Selects the files of a period"',
    ),
    (
        one_writer,
        "pipeline/conform/a.py",
        "duckdb.connect()\nduckdb.connect(':memory:')\nduckdb.connect(p, read_only=True)",
    ),
]


@pytest.mark.parametrize(("rule", "path", "snippet"), ALLOWED)
def test_rule_lets_the_right_thing_pass(rule: Rule, path: str, snippet: str) -> None:
    assert not list(rule(path, ast.parse(snippet)))


def test_files_stay_short() -> None:
    found = [c for path, text in sources() for c in not_long(path, text)]
    assert not found, "\n".join(found)
    assert list(not_long("pipeline/a.py", "x\n" * (LONGEST + 1)))


def test_the_package_itself_needs_the_standard_library_alone() -> None:
    """The bootstrap runs before anything is installed. -I -S: no site-packages, no user settings."""
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r}); import pipeline.__main__ as m; print(m.__file__)"
    done = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, (
        f"move imports of other packages in pipeline/__init__.py into functions:\n{done.stderr}"
    )
    assert Path(done.stdout.strip()).parent.parent == ROOT, "another package is called pipeline"


# ---- (b) the top level


def strangers(names: list[str]) -> set[str]:
    return {name.split("/")[0] for name in names} - TOP_LEVEL


def test_top_level_holds_only_what_belongs_there() -> None:
    assert not strangers(tree()), "move it into a folder, or ask for a new name in TOP_LEVEL"
    assert strangers(["README.md", "uv.lock", "scripts/x.py"]) == {"uv.lock", "scripts"}


# ---- (c) the lock files


def pins(text: str) -> dict[str, list[Requirement]]:
    """Locked packages by canonical name; some have several pins, each with its marker."""
    found: dict[str, list[Requirement]] = {}
    for block in re.sub(r"\\\n", " ", text).splitlines():
        words = block.split("#")[0].split(" --hash=")
        if words[0].strip() and not words[0].startswith("-"):
            locked = Requirement(words[0].strip())
            found.setdefault(canonicalize_name(locked.name), []).append(locked)
    return found


def lock_faults(text: str) -> Iterator[str]:
    if "://" in text:
        yield "names an address: offices install from their own mirror"
    for block in re.sub(r"\\\n", " ", text).splitlines():
        name = block.split(" --hash=")[0].strip()
        if name and not name.startswith("#"):
            if not re.match(r"[A-Za-z0-9._\-\[\],]+==[A-Za-z0-9.!+]+( *;.*)?$", name):
                yield f"not pinned with ==: {name}"
            if not re.search(r" --hash=sha256:[0-9a-f]{64}(\s|$)", block) or re.search(r"--hash=(?!sha256:)", block):
                yield f"no sha256 hash: {name}"


@pytest.mark.parametrize("name", sorted(name for name in TOP_LEVEL if name.endswith(".lock")))
def test_lock_pins_and_hashes_everything(name: str) -> None:
    assert not list(lock_faults((ROOT / name).read_text(encoding="utf-8")))


def test_lock_rule_can_complain() -> None:
    good = "click==8.1.0 ; sys_platform == 'win32' \\\n    --hash=sha256:" + "0" * 64 + "\n"
    assert not list(lock_faults(good))
    for bad in (
        good.replace("==8", ">=8"),
        good.split(" \\")[0],
        good.replace("sha256", "md5"),
        "# https" + "://x\n" + good,
    ):
        assert list(lock_faults(bad)), bad


def unlocked(wanted: list[str], locked: dict[str, list[Requirement]]) -> list[str]:
    """Requirements that the lock lacks, or holds in a version that does not fit."""
    missing = []
    for words in wanted:
        need = Requirement(words)
        held = [str(p.specifier).removeprefix("==") for p in locked.get(canonicalize_name(need.name), [])]
        if not held or not all(need.specifier.contains(v, prereleases=True) for v in held):
            missing.append(words)
    return missing


MACHINES = [
    {"sys_platform": p, "os_name": o, "python_version": v, "python_full_version": f"{v}.9"}
    for p, o in (("linux", "posix"), ("darwin", "posix"), ("win32", "nt"))
    for v in ("3.11", "3.12", "3.13")
]


def at(environment: dict[str, str], locked: dict[str, list[Requirement]]) -> dict[str, str]:
    """What a lock gives one kind of machine."""
    fits = [p for held in locked.values() for p in held if p.marker is None or p.marker.evaluate(environment)]
    return {canonicalize_name(p.name): str(p.specifier) for p in fits}


def test_what_pyproject_asks_for_is_locked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    run, dev = (pins((ROOT / n).read_text(encoding="utf-8")) for n in ("requirements.lock", "requirements-dev.lock"))
    wanted = project["project"]["dependencies"] + project["build-system"]["requires"]
    assert not unlocked(wanted + project["dependency-groups"]["run"], run)
    assert not unlocked(wanted + project["dependency-groups"]["dev"], dev)
    # The bootstrap takes an environment made for the tests for one that can run: it must hold the same.
    for environment in MACHINES:
        here, there = at(environment, run), at(environment, dev)
        assert {n: there.get(n) for n in here} == here, environment
    # The lock of an extra goes on top of either: what they have, it does not change.
    for extra, wanted in project["project"]["optional-dependencies"].items():
        more = pins((ROOT / f"requirements-{extra}.lock").read_text(encoding="utf-8"))
        assert not unlocked(wanted, more)
        for environment in MACHINES:
            here, there = at(environment, more), at(environment, dev)
            assert {n: there.get(n, here[n]) for n in here} == here, environment
    assert unlocked(["click>=99", "nothing-of-that-name"], run) == ["click>=99", "nothing-of-that-name"]


def test_every_dependency_has_its_reason() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    words = (ROOT / "docs" / "decisions.md").read_text(encoding="utf-8")
    groups = [*project["dependency-groups"].values(), *project["project"]["optional-dependencies"].values()]
    asked = project["project"]["dependencies"] + [d for g in groups for d in g]
    assert not [d for d in asked if f"`{Requirement(d).name}`" not in words], "write a line in docs/decisions.md"


# ---- (d) what the tree must not name (put together here, so that this file does not name it either)

SLASH = "/"
FOLDERS = "|".join(("home", "root", "work", "Users"))
HOSTS = ("pypi" + ".org", "python" + "hosted.org", "npm" + "js.org", "ana" + "conda.org", "crates" + ".io")
FORBIDDEN = {
    "a folder of one machine": re.compile(rf"(?<![\w.~<>]){SLASH}({FOLDERS}){SLASH}\w|\b[A-Z]:\\+(?:Users|work)\\+\w"),
    "a package registry": re.compile("|".join(re.escape(h) for h in HOSTS) + rf"|:{SLASH}{SLASH}\S+{SLASH}simple\b"),
}


def named(text: str) -> list[str]:
    return [f"{what}: {found[0]}" for what, pattern in FORBIDDEN.items() if (found := pattern.search(text))]


def test_tree_names_no_machine_and_no_registry() -> None:
    found = []
    for name in tree():
        content = (ROOT / name).read_bytes()
        if b"\0" not in content[:8000]:  # workbooks and pictures are no text
            found += [f"{name}: {what}" for what in named(content.decode("utf-8", "replace"))]
    assert not found, "\n".join(found)


def test_tree_rule_can_complain() -> None:
    for bad in (
        f"path = '{SLASH}home{SLASH}an{SLASH}x'",
        f"{SLASH}work{SLASH}main",
        "C:\\" + "Users\\an",
        "https://" + HOSTS[0],
    ):
        assert named(bad), bad
    for good in (
        "https://dichvucong.gov.vn/home/tin",
        f"~{SLASH}work{SLASH}x",
        f"data{SLASH}work{SLASH}x",
        f"đã{SLASH}work in progress",
    ):
        assert not named(good), good


# ---- (f) words in both languages


def one_sided(node: object, where: str = "") -> Iterator[str]:
    if isinstance(node, dict):
        given = {key for key, value in node.items() if isinstance(value, str) and value.strip()}
        if ("vi" in given) != ("en" in given):  # a column may be called vi: then it is a table, and no words
            yield where or "top level"
        for key, value in node.items():
            pair = {"vi": key.removesuffix("_vi") + "_en", "en": key.removesuffix("_en") + "_vi"}.get(key[-2:])
            if key in given and key.endswith(("_vi", "_en")) and pair not in given:
                yield f"{where}.{key} without {pair}"
            yield from one_sided(value, f"{where}.{key}".strip("."))
    elif isinstance(node, list):
        for number, value in enumerate(node):
            yield from one_sided(value, f"{where}[{number}]")


def test_declared_words_come_in_both_languages() -> None:
    files = sorted((ROOT / "pipeline" / "declare").rglob("*.toml"))
    assert files
    found = [f"{f.name}: {w}" for f in files for w in one_sided(tomllib.loads(f.read_text(encoding="utf-8")))]
    assert not found, "give both vi and en:\n" + "\n".join(found)


def test_language_rule_can_complain() -> None:
    for bad in ('[a.b]\nvi = "x"', '[[a]]\nen = "x"\nvi = " "', 'todo_vi = "x"'):
        assert list(one_sided(tomllib.loads(bad))), bad
    assert not list(one_sided(tomllib.loads('[a]\nvi = "x"\nen = "y"\ntodo_vi = "x"\ntodo_en = "y"')))
