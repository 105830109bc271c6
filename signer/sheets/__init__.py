"""Spreadsheets in and out: hostile ones are read in a child; ours are plain cells that no program runs."""
