"""Rule sets: the ways of counting dossiers, each declared once as what it changes of another; and why labels differ.

Not here: the statement whose parts they are (measure/sql/dossier_period.sql), asking by one (measure/rules).
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from pipeline.declare.text import Text, declared, text_of
from pipeline.errors import WrongUse

OURS = "motcua"
OTHER = "opencps-monthly"  # where any other than ours will do
ASPECTS = ("row", "due", "origin", "outcome")
PART = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class RuleSet:
    """sql: all parts, those of the base included, each with no part left to fill in. own: the parts it states itself."""

    name: str
    base: str | None
    label: Text
    about: Text
    source: str
    mark: str
    sql: Mapping[str, str]
    own: frozenset[str]


@dataclass(frozen=True)
class Why:
    """A reason why two rule sets count a dossier differently: a condition over both labellings, and its words. rules:
    the rule sets of which it may be told; none: all."""

    aspect: str
    when: str
    text: Text
    rules: tuple[str, ...]


@cache
def rule_sets() -> dict[str, RuleSet]:
    """Every rule set by name, ours first."""
    nodes = {name: node for name, node in declared("rules.toml").items() if name != "why"}
    written: dict[str, dict[str, str]] = {}
    found = {}
    for name, node in nodes.items():
        before = written[node["base"]] if "base" in node else {}
        own = {part: _over(part, sql, before) for part, sql in node["sql"].items()}
        written[name] = before | own
        about = Text(node["about_vi"], node["about_en"])
        parts = {part: filled(sql, written[name]) for part, sql in written[name].items()}
        found[name] = RuleSet(
            *(name, node.get("base"), text_of(node), about, node["source"], node["mark"], parts, frozenset(own)),
        )
    return found


def _over(part: str, sql: str, before: Mapping[str, str]) -> str:
    """A part as stated, the base's of the same name put in where it asks for it."""
    return sql.replace(f"{{{part}}}", before[part]) if part in before else sql


def filled(sql: str, parts: Mapping[str, str]) -> str:
    """A text with every {name} replaced by that part, and what stands in it likewise."""
    for _ in range(10):
        if not PART.search(sql):
            return sql
        sql = PART.sub(lambda found: parts[found[1]], sql)
    raise ValueError(f"parts that stand in themselves: {sql[:80]}")


@cache
def whys() -> tuple[Why, ...]:
    return tuple(
        Why(node["aspect"], node["when"], text_of(node), tuple(node.get("rules", ())))
        for node in declared("rules.toml")["why"]
    )


def rule_set(words: str) -> RuleSet:
    """The rule set of that name. Raises WrongUse with all there are."""
    name = words.strip().lower().replace("_", "-")
    if name in rule_sets():
        return rule_sets()[name]
    near = difflib.get_close_matches(name, rule_sets(), n=1, cutoff=0.5) or [OTHER]
    lists = ("\n  ".join(f"{r.name}: {r.label[lang]}" for r in rule_sets().values()) for lang in ("vi", "en"))
    vi, en = lists
    raise WrongUse(
        Text(f"Không có cách tính “{words[:40]}”.", f"There is no rule set “{words[:40]}”."),
        expected=Text(f"ví dụ --rules {near[0]}", f"e.g. --rules {near[0]}"),
        todo=Text(f"Các cách tính đã khai:\n  {vi}", f"The rule sets declared:\n  {en}"),
    )
