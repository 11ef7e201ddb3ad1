"""What is known, declared once: columns, codes, layouts, periods, units, procedures, indicators, thresholds, forms.

What bears on a figure is a data file (TOML, CSV) beside these modules. Not here: reading of office data, frames.
"""
