"""The report's section I.3, as data: sentences and tables with the figures in them and the cells these come from."""
