"""Pages that only scripts fill: rendered by a real Chromium, behind the same guards."""
