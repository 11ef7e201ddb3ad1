"""Layout + text cells → typed dossier rows, or the reason why a cell cannot be parsed. No row is dropped here."""
