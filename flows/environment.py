"""Set Prefect up before it is imported: its home, no telemetry, quiet logs, a light server."""

import os
from pathlib import Path

SERVICES = (
    "PREFECT_SERVER_SERVICES_SCHEDULER_ENABLED",
    "PREFECT_SERVER_SERVICES_LATE_RUNS_ENABLED",
    "PREFECT_SERVER_SERVICES_TRIGGERS_ENABLED",
    "PREFECT_SERVER_SERVICES_EVENT_PERSISTER_ENABLED",
)
"""What a standing server does, and one for the length of a run has no use for."""

_QUIET = {
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_LOGGING_LEVEL": "CRITICAL",
    "PREFECT_SERVER_LOGGING_LEVEL": "CRITICAL",
    "PREFECT_CLI_PROMPT": "false",
    # The server that Prefect starts for the length of one run needs time on a small machine,
    # and none of the services that a standing server has.
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "600",
    **dict.fromkeys(SERVICES, "false"),
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_ENABLED": "true",
}


def prepare_prefect(home: Path) -> None:
    """Fill in Prefect's settings where the environment does not name them already.

    With ``PREFECT_API_URL`` set, Prefect uses that server and these server settings do nothing.
    """
    if "PREFECT_HOME" not in os.environ:
        folder = (home / "prefect").absolute()
        folder.mkdir(parents=True, exist_ok=True)  # Prefect does not make the parents
        os.environ["PREFECT_HOME"] = str(folder)
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
