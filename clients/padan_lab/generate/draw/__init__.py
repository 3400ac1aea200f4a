"""Seeded draws, words to draw from, and cells written with errors."""
