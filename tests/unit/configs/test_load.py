"""Which file a municipality comes from, and what is said when there is none."""

from pathlib import Path

import pytest

from configs.load import (
    find_municipality,
    fingerprint,
    list_municipalities,
    load_municipality,
    load_taxonomy,
)
from configs.schema import SHIPPED
from models.errors import ConfigError
from models.labels import CATEGORIES

ATE = (SHIPPED / "municipalities" / "ate.yml").read_text(encoding="utf-8")


def own(tmp_path: Path, name: str, text: str = ATE) -> Path:
    (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def test_ones_own_file_outranks_the_shipped_one(tmp_path: Path) -> None:
    folder = own(tmp_path, "ate.yml", ATE.replace("name: Ate\n", "name: Ate propio\n"))
    assert load_municipality("ate", folder).name == "Ate propio"
    assert load_municipality("ate").name == "Ate"
    assert list_municipalities(folder)["ate"] == folder / "ate.yml"
    assert list_municipalities(folder).keys() >= {"ate", "sandbox"}


def test_a_folder_that_does_not_exist_is_skipped(tmp_path: Path) -> None:
    assert load_municipality("ate", tmp_path / "none").code == "ate"


def test_a_path_is_taken_as_it_is(tmp_path: Path) -> None:
    folder = own(tmp_path, "lima.yml", ATE.replace("code: ate\n", "code: lima\n"))
    assert load_municipality(str(folder / "lima.yml")).code == "lima"


@pytest.mark.parametrize("code", ["atee", "", "../ate", "ate.yml", "a\0b", "x/y.yml"])
def test_an_unknown_code_lists_those_that_exist(code: str) -> None:
    with pytest.raises(ConfigError, match="ate, sandbox"):
        load_municipality(code)


def test_no_municipality_at_all(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="none; put a"):
        find_municipality("ate", [tmp_path])


def test_the_error_holds_every_problem_a_line_each(tmp_path: Path) -> None:
    text = ATE.replace("country: PE", "country: Peru").replace("protocol: pages", "protocol: page")
    with pytest.raises(ConfigError) as caught:
        load_municipality("ate", own(tmp_path, "ate.yml", text))
    first, *lines = str(caught.value).splitlines()
    assert first == f"{tmp_path / 'ate.yml'} has {len(lines)} problems:"
    assert len(lines) == text.count("protocol: page\n") + 1
    assert all(line.startswith(f"{tmp_path / 'ate.yml'}:") for line in lines)


def test_warnings_do_not_keep_a_file_from_loading(tmp_path: Path) -> None:
    text = ATE.replace("categories: [digital]", "categories: [health]")
    assert load_municipality("ate", own(tmp_path, "ate.yml", text)).code == "ate"


def test_the_taxonomy_is_read_once() -> None:
    assert load_taxonomy() is load_taxonomy()
    assert tuple(c.code for c in load_taxonomy().categories) == CATEGORIES


def test_the_fingerprint_changes_with_any_value(tmp_path: Path) -> None:
    one, same = load_municipality("ate"), load_municipality("ate")
    other = load_municipality("ate", own(tmp_path, "ate.yml", ATE.replace("days: 30", "days: 31")))
    assert fingerprint(one) == fingerprint(same) != fingerprint(other)
    assert len(fingerprint(one)) == 64
