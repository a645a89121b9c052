"""Demands: what neighbours ask for, grouped, confirmed, answered, and how it went."""
