"""The sandbox town: a small local web of simulated sources with a known truth."""
