"""Web pages for analysts, over read queries only."""
