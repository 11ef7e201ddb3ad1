"""Figures for people: number formats, tables for the screen, tidy files. Computes no figure anew."""
