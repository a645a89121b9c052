"""The steps of a run, without Prefect, and the store, the only writer of the database."""
