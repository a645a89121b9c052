"""The report of one run: a self-contained HTML page in Spanish, with its English twin."""
