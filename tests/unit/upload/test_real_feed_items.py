"""Real items of six Peruvian outlets' feeds: every row is accounted for."""

import os
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

from configs.schema import Source
from models.records import Extracted, Outcome, Protocol, Rejection
from pipelines.upload import read_upload

DATA = os.environ.get("MANIFIESTA_DATA")
NEWS = Path(DATA or "") / "feeds" / "peru_news.csv"

pytestmark = pytest.mark.skipif(
    not (DATA and NEWS.is_file()),
    reason="set MANIFIESTA_DATA to a folder that holds feeds/peru_news.csv",
)


def test_every_real_row_is_stored_or_rejected() -> None:
    source = Source(name="prensa", title="Prensa", protocol=Protocol.UPLOAD)
    zone = ZoneInfo("America/Lima")
    records = list(read_upload(NEWS, source, zone, datetime.now(UTC)))
    stored = [record for record in records if isinstance(record, Extracted)]
    counts = Counter(r.outcome for r in records if isinstance(r, Rejection))
    rejected = {outcome.value: count for outcome, count in counts.items()}
    print(f"\n{len(records)} rows: {len(stored)} stored, {rejected}")  # noqa: T201

    table = pd.read_csv(NEWS)
    assert len(records) == len(table)
    assert counts[Outcome.DUPLICATE] == table["original_url"].duplicated().sum()
    assert len(stored) == table["original_url"].nunique()
    assert {record.external_id for record in stored} == set(table["original_url"])
    assert all(record.text and record.said_at and record.url for record in stored)
