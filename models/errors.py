"""The exceptions that Manifiesta raises on purpose.

Each message says what was wrong, where, and what to do. The command line prints it and ends
with ``exit_code``: 1 the work failed, 2 the usage or the configuration is wrong.
"""


class ManifiestaError(Exception):
    """Anything that Manifiesta can explain to the person who ran it."""

    exit_code = 1


class ConfigError(ManifiestaError):
    """A configuration file, an option or an environment variable is wrong."""

    exit_code = 2


class InputError(ManifiestaError):
    """An input file cannot be read as what it was said to be."""

    exit_code = 2


class RefusedError(ManifiestaError):
    """A step of a selection that its rules forbid now; nothing was written but the audit."""

    exit_code = 2


class SourceError(ManifiestaError):
    """A source could not be read; the run goes on with the others."""


class ModelError(ManifiestaError):
    """A model is missing, damaged or does not fit its labels."""


class StoreError(ManifiestaError):
    """The database cannot be reached, is locked, or refuses to write."""


class ConflictError(ManifiestaError):
    """Somebody else has changed what was about to be changed; look again and decide again."""


class BusyError(ManifiestaError):
    """Another process works on the same municipality, or has taken its work over."""
