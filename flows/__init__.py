"""The way in: Prefect flows and the command line."""
