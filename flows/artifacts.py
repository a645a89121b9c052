"""What a run leaves in Prefect's own pages: its summary as a table, and a link to the report."""

from prefect.artifacts import create_link_artifact, create_table_artifact

from flows.summary import RunSummary


def leave_artifacts(summary: RunSummary) -> None:
    """Leave table and link under keys that stay the same from run to run."""
    rows = [
        {
            "source": source.source,
            "state": source.state.value,
            "new": source.saved.new,
            "changed": source.saved.changed,
            "known": source.saved.known,
            "rejected": source.rejected,
            "reason": source.reason or "",
        }
        for source in summary.sources
    ]
    create_table_artifact(
        table=rows,
        key=f"run-{summary.municipality}",
        description=(
            f"Run {summary.run_id}, {summary.window_from} to {summary.window_to}: "
            f"{summary.state}, {summary.in_window:,} manifestations, {summary.findings} findings"
        ),
    )
    create_link_artifact(
        link=summary.report.absolute().as_uri(),
        key=f"report-{summary.municipality}",
        link_text=f"Report of run {summary.run_id}",
    )
