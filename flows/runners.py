"""Where the partitions of a rerun run: threads of this machine, or workers of a Dask cluster."""

from typing import Any

from prefect.task_runners import TaskRunner, ThreadPoolTaskRunner

from configs.settings import Settings
from models.errors import ConfigError

SIDE_BY_SIDE = 4
"""Partitions at once on one machine; the model uses all cores for each."""


def task_runner(settings: Settings) -> TaskRunner[Any]:
    """Return the task runner that ``MANIFIESTA_CLUSTER`` chooses: its workers, or threads here.

    Raises:
        ConfigError: a cluster is named, and the packages for it are not installed.
    """
    if settings.cluster is None:
        runner: TaskRunner[Any] = ThreadPoolTaskRunner(max_workers=SIDE_BY_SIDE)
        return runner
    try:
        from prefect_dask.task_runners import DaskTaskRunner
    except ImportError:
        raise ConfigError(
            "MANIFIESTA_CLUSTER is set, but the packages for it are missing. Install them with: "
            "pip install 'manifiesta[cluster]'"
        ) from None
    return DaskTaskRunner(address=settings.cluster)
