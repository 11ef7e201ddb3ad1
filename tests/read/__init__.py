"""Real files of every format, made by others than our readers; and files made to harm."""
