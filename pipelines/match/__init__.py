"""Matchmaking: records, blind selection, the way from an insight to a call, and its dossier."""
