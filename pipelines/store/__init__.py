"""The database: the engine, its migrations, the only writer, and the read queries."""
