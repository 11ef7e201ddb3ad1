"""Any file → text cells with their sheet and row. Nothing here guesses a type or knows a layout."""
