"""An independent recount: the same figures from the same exports, by other means."""
