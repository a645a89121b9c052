"""One spider per protocol; they run in the child process only."""
