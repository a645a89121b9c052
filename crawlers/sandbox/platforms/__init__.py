"""The platforms of the town: one module a protocol, answering as its public documentation says."""
