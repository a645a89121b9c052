"""What `sources check` proposes for a source of the town collects what its shipped entry does."""

from pathlib import Path

import pytest
import yaml

from configs.load import load_municipality
from configs.schema import Municipality, Source, absolute_url
from crawlers.crawl import crawl
from models.records import Extracted, Protocol
from pipelines.checking import Checked, check_url
from pipelines.collect import make_job
from tests.unit.sandbox.test_recognise import OTHERS

NAMES = [
    source.name
    for source in load_municipality("sandbox").sources
    if source.protocol is not Protocol.UPLOAD
]
POSTS_WITH_TITLES = {"foro-salamanca", "buzon-vecinal"}
"""A feed does not tell a titled post from an article: what is pasted has to be given its kind."""

MOST = 30
"""Requests of a crawl: the first of each source, and all of the one that is read beyond."""

BEYOND = {"diario-este": ("match", "/diario-este/ultimas/")}
"""What the pasted source reads beyond, and the key that its note tells to write against it."""


@pytest.fixture(scope="module")
def place(base_url: str) -> Municipality:
    return load_municipality("sandbox").with_base_url(base_url)


@pytest.fixture(autouse=True)
def _token(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MANIFIESTA_SANDBOX_TOKEN", "YOUTUBE_API_KEY", "FACEBOOK_TOKEN", "X_BEARER_TOKEN"):
        monkeypatch.setenv(name, "pueblo-simulado")


def pasted(checked: Checked) -> Source:
    (values,) = yaml.safe_load(checked.yaml)
    return Source.model_validate(values)


def collected(
    place: Municipality, source: Source, folder: Path
) -> tuple[dict[str, Extracted], bool]:
    """Return what a crawl gave, and whether it got to the end."""
    folder.mkdir()
    result = crawl(make_job(place, source, folder / "archive", "0.1.0", folder / "out"))
    assert result.finished or result.reason == f"it reached its limit of {MOST} requests"
    return {record.external_id: record for record in result.extracted}, result.finished


def said(record: Extracted) -> tuple[object, ...]:
    return (
        record.title,
        record.text,
        record.author,
        record.said_at,
        record.parent_external_id,
        record.thread_external_id,
    )


@pytest.mark.parametrize("name", NAMES)
def test_what_is_pasted_collects_the_same(name: str, place: Municipality, tmp_path: Path) -> None:
    shipped = place.source(name)
    assert shipped is not None
    typed = place.base_url + OTHERS[name] if name in OTHERS else absolute_url(place, shipped)
    checked = check_url(typed, place, "0.1.0", allow_private=True)
    assert checked.is_readable, checked.problem
    proposed = pasted(checked)
    assert (proposed.protocol, proposed.allow_private) == (shipped.protocol, True)

    limits = shipped.limits.model_copy(update={"max_requests": MOST})
    shipped = shipped.model_copy(update={"limits": limits})
    proposed = proposed.model_copy(update={"name": name, "limits": limits})
    ours, is_whole = collected(place, shipped, tmp_path / "shipped")
    theirs, they_are_whole = collected(place, proposed, tmp_path / "pasted")
    if not (is_whole and they_are_whole):  # which requests come before the limit depends on answers
        ours = {key: one for key, one in ours.items() if key in theirs}
    beyond = theirs.keys() - ours.keys()
    if beyond and is_whole and they_are_whole:
        key, address = BEYOND[name]
        assert f"«{key}»" in (checked.proposal.note if checked.proposal else "")
        assert all(external_id.endswith(address) for external_id in beyond)
    assert ours
    assert ours.keys() <= theirs.keys()
    assert all(said(theirs[external_id]) == said(one) for external_id, one in ours.items())
    same_kind = {key for key, one in ours.items() if one.kind is theirs[key].kind}
    assert same_kind == (set() if name in POSTS_WITH_TITLES else ours.keys())
