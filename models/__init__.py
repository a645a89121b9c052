"""The nouns of Manifiesta: labels, records, errors, database tables and migrations."""
