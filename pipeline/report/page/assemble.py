"""One HTML file of template, style, scripts and data: opens by double click, asks no network, runs no script but its own.

Not here: what it shows (payload).
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html import escape
from importlib.resources import files
from typing import Any

from pipeline.declare.text import LANGUAGES

# In this order; each says at its head what it is for.
SCRIPTS = (
    *("format", "data", "words", "definitions", "headline", "ranking", "matrix"),
    *("plots", "charts", "trends", "quality", "page"),
)
PLOTLY = "plotly-basic.min.js"  # the bundle of bars and lines, of the version that plotly.py brings in full


def assemble(told: dict[str, Any], lang: str) -> str:
    """The page of a payload; `lang` is the language it opens in. The same payload gives the same text."""
    page = '"use strict";\n(() => {\n' + "\n".join(_part(f"{name}.js") for name in SCRIPTS) + "})();\n"
    plotly = _part(PLOTLY)
    at = LANGUAGES.index(lang)
    period, whole = told["periods"][-1]["name"][at], told["units"][0][0]
    words = told["words"]
    parts = {
        "lang": lang,
        "policy": _policy(page, plotly),
        "release": escape(told["info"]["release"]),
        "title": escape(f"{whole}, {period}: {words['title'][at]}"),
        "no_script": escape(words["no_script"][at]),
        "style": _part("style.css"),
        "data": data_of(told),
        "page": page,
        "plotly": plotly,
    }
    return re.sub(r"\{\{(\w+)\}\}", lambda found: parts[found[1]], _part("template.html"))


def data_of(told: dict[str, Any]) -> str:
    """The payload as JSON that no text in it can end: `<` is written as an escape."""
    return json.dumps(told, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")


def _part(name: str) -> str:
    return files("pipeline.report.page").joinpath(name).read_text(encoding="utf-8")


def _policy(*scripts: str) -> str:
    """What the browser may do: run these very scripts, style, and nothing else; no address can be asked. Plotly sets
    styles of elements, which only 'unsafe-inline' allows."""
    hashes = " ".join(f"'sha256-{base64.b64encode(hashlib.sha256(s.encode()).digest()).decode()}'" for s in scripts)
    return (
        f"default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; "
        "form-action 'none'"
    )
