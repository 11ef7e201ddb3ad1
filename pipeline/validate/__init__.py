"""Pandera schemas derived from the declarations decide on rows. Nothing is mended silently."""
