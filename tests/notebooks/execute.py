"""Writes notebooks/01_bat_dau.ipynb: its cells stand here, are executed on the sample, and kept with their output.

`python -m tests.notebooks.execute` does it; a test does the same in a temporary folder and compares.
The chart is kept as a picture and as Plotly's own description; its five megabytes of script are left out.
"""

from __future__ import annotations

import base64
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

from pipeline import night
from tests.conftest import ROOT, copy_of_sample

NOTEBOOK = ROOT / "notebooks" / "01_bat_dau.ipynb"
PLOTLY = "application/vnd.plotly.v1+json"

CELLS: list[tuple[str, str]] = [
    (
        "markdown",
        "# Bắt đầu / Start here\n\n"
        "Số liệu của bản đang công bố, đọc bằng DuckDB. Chưa có gì? Chạy `motcua run` trước.\n\n"
        "The published figures, read with DuckDB. Nothing there yet? `motcua run` first.",
    ),
    (
        "code",
        "import pandas as pd\nimport plotly.express as px\n\nimport pipeline\n\n"
        "con = pipeline.open_published()  # chỉ đọc; để mở cũng không cản ai / read-only, in nobody's way\n"
        "con.sql(\"SELECT * FROM release_info WHERE key IN ('schema_version', 'known_at')\").df()",
    ),
    (
        "markdown",
        "## Có những bảng nào / What is there\n\nMỗi bảng và cột đều có lời giải thích. / Every table and column is explained.",
    ),
    ("code", 'con.sql("SELECT \\"table\\", vi, en FROM data_dictionary WHERE \\"column\\" IS NULL ORDER BY 1").df()'),
    (
        "markdown",
        "## Số liệu của một quý / The figures of a quarter\n\n"
        "Cùng những con số với `motcua stats --period 2023-Q3`. / The same figures as the command.",
    ),
    (
        "code",
        "from pipeline.measure import answers\n\n"
        'stats = pd.DataFrame(answers.stats(con, "2023-Q3"))\n'
        'stats[["unit", "level", "online", "in_person", "carried_over", "total", "resolved", "resolved_late", "open", "coverage"]]',
    ),
    (
        "code",
        'rates = pd.DataFrame(answers.indicators(con, "2023-Q3")).convert_dtypes()\n'
        'digitized = rates[(rates.indicator == "component_digitization_rate") & (rates.level == "unit")]\n'
        'digitized[["unit", "numerator", "denominator", "unknown", "value", "operator", "threshold", "verdict", "needed"]]',
    ),
    (
        "markdown",
        "## Danh sách sau một con số / The list behind a figure\n\n"
        "Một con số là số dòng của `dossier_period`. Bốn hồ sơ quá hạn của quý là những hồ sơ nào, ở tệp nào, dòng nào?\n\n"
        "A count is a count of rows of `dossier_period`. Which are the quarter's four late dossiers, in which file and row?",
    ),
    (
        "code",
        'late = con.sql("""\n'
        "    SELECT u.unit, d.field, d.received_on, d.effective_due_on, d.concluded_on, f.name AS file, d.sheet, d.row\n"
        "    FROM dossier_period d JOIN unit u USING (unit_id) JOIN file f USING (file_id)\n"
        "    WHERE d.period = '2023-Q3' AND d.outcome = 'resolved_late'\n"
        "    ORDER BY u.sort\n"
        '""").df()\n'
        "late",
    ),
    (
        "code",
        "# số dòng của danh sách bằng con số / the list is as long as the figure says\n"
        'assert len(late) == stats.loc[stats.level == "total", "resolved_late"].item()\n'
        "len(late)",
    ),
    ("markdown", "## Một biểu đồ / A chart"),
    (
        "code",
        'words = {"met": "đạt", "not_met": "chưa đạt"}\n'
        "chart = digitized.assign(percent=digitized.value.astype(float) * 100, verdict=digitized.verdict.map(words))\n"
        "fig = px.bar(\n"
        '    chart.sort_values("percent"), x="percent", y="unit", color="verdict", orientation="h", height=560,\n'
        '    color_discrete_map={"đạt": "#2a7f9e", "chưa đạt": "#d1603d"},\n'
        '    labels={"percent": "Số hóa thành phần hồ sơ (%)", "unit": "", "verdict": "Kết luận"},\n'
        '    title="Tỷ lệ số hóa thành phần hồ sơ, quý III/2023",\n'
        ")\n"
        'fig.update_yaxes(categoryorder="total ascending")\n'
        'fig.add_vline(x=70, line_dash="dash")\n'
        'fig.add_annotation(x=70, y=1.06, yref="paper", text="> 70 %", showarrow=False)\n'
        "fig",
    ),
]


def execute() -> nbformat.NotebookNode:
    """The notebook with the output of a run on the sample."""
    notebook = nbformat.v4.new_notebook(metadata={"language_info": {"name": "python"}})
    notebook.cells = [
        (nbformat.v4.new_markdown_cell if kind == "markdown" else nbformat.v4.new_code_cell)(text, id=f"cell-{n:02}")
        for n, (kind, text) in enumerate(CELLS, 1)
    ]
    with tempfile.TemporaryDirectory() as folder:
        home = copy_of_sample(Path(folder))
        night.run(home)
        environment = os.environ | {
            "MOTCUA_HOME": str(home.root),
            "PYTHONPATH": str(ROOT),
            "PLOTLY_RENDERER": "plotly_mimetype",
        }
        client = NotebookClient(notebook, timeout=120, kernel_name="python3", resources={"metadata": {"path": folder}})
        client.execute(env=environment)
    for cell in notebook.cells:
        cell.metadata = nbformat.NotebookNode()  # times of the run
    return notebook


def with_pictures(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Every Plotly chart also as a picture, for viewers that run no script. Needs a Chromium."""
    import plotly.io as pio

    for output in outputs(notebook):
        if PLOTLY in output.get("data", {}):
            chart = {key: output["data"][PLOTLY][key] for key in ("data", "layout")}
            figure = pio.from_json(json.dumps(chart))
            output["data"]["image/png"] = base64.b64encode(figure.to_image("png", width=900, height=560)).decode()
    return notebook


def outputs(notebook: nbformat.NotebookNode) -> list[Any]:
    return [o for cell in notebook.cells if cell.cell_type == "code" for o in cell.outputs]


if __name__ == "__main__":
    nbformat.write(with_pictures(execute()), NOTEBOOK)
    sys.stdout.write(f"{NOTEBOOK.relative_to(ROOT)}\n")
