"""Sheets whose formulas are taken as they are written. Not here: which formulas there are (table.py, form.py)."""

from __future__ import annotations

from xlsxwriter.worksheet import Worksheet, re_dynamic_function


class PlainFormulas(Worksheet):
    """XlsxWriter looks for each of thirty functions of later programs in every formula, though it has asked for all of them
    before: a tenth of an export's time where there are six hundred units."""

    def _prepare_formula(self, formula: str, expand_future_functions: bool = False) -> str:
        asked = expand_future_functions or self.use_future_functions or re_dynamic_function.search(formula)
        if asked or not formula.startswith("=") or formula.endswith("}"):
            return super()._prepare_formula(formula, expand_future_functions)
        return formula[1:]
