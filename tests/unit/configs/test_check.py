"""Every kind of problem of a configuration file: its line, and what to write instead."""

from itertools import pairwise
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from configs.check import Problem, check_file, check_taxonomy, is_private, is_relative
from configs.schema import SHIPPED

GOOD = """\
code: ate
name: Ate
country: PE
ubigeo: "150103"
time_zone: America/Lima
contact:
  name: Municipalidad de Ate
  email: datos@example.org
zones:
  - {code: vitarte, name: Vitarte}
  - {code: ceres, name: Ceres}
areas:
  - name: Gerencia de Servicios
    categories: [transport, health, security, economy, waste, environment, water, energy]
  - name: Gerencia Social
    categories: [education, culture, social, housing, governance, emergency, digital]
sources:
  - name: radio
    title: Radio
    protocol: feed
    url: https://example.pe/feed
  - name: muni
    title: Municipalidad
    protocol: pages
    url: https://example.pe/noticias
    links: "article a"
  - name: buzon
    title: Buzón
    protocol: upload
    columns: {text: comentario, date: fecha}
"""


def check(tmp_path: Path, text: str | bytes, name: str = "ate.yml") -> list[Problem]:
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return check_file(path)


def changed(old: str, new: str) -> str:
    assert old in GOOD
    return GOOD.replace(old, new, 1)


def test_a_good_file_has_no_problems(tmp_path: Path) -> None:
    assert check(tmp_path, GOOD) == []


def test_the_shipped_files_have_no_problems() -> None:
    for path in (SHIPPED / "municipalities").glob("*.yml"):
        assert [str(problem) for problem in check_file(path)] == []
    assert check_taxonomy(SHIPPED / "taxonomy.yml") == []


LANDMARKS = """\
landmarks:
  - name: Carretera Central
    kind: road
    zones: [vitarte, {zone}]
    stretches: [{{zone: vitarte, from_km: {start}, to_km: 9}}]
areas:
"""


def test_landmarks_lie_in_zones_of_the_file(tmp_path: Path) -> None:
    good = changed("areas:\n", LANDMARKS.format(zone="ceres", start=5))
    assert check(tmp_path, good) == []
    (elsewhere,) = check(tmp_path, changed("areas:\n", LANDMARKS.format(zone="cerez", start=5)))
    assert (elsewhere.path, elsewhere.line) == ("landmarks[0].zones[1]", 15)
    assert "did you mean «ceres»" in elsewhere.advice
    (back,) = check(tmp_path, changed("areas:\n", LANDMARKS.format(zone="ceres", start=12)))
    assert "ends behind its beginning" in back.message
    twice = good.replace("landmarks:\n", "landmarks:\n  - {name: Carretera Central, kind: road}\n")
    assert [p.path for p in check(tmp_path, twice)] == ["landmarks[1].name"]


def test_ate_has_25_sources_and_an_area_for_all() -> None:
    from configs.load import load_municipality

    ate = load_municipality("ate")
    assert len(ate.sources) == len({source.url for source in ate.sources}) == 25
    assert ate.ubigeo == "150103"


def test_one_line_names_file_line_path_and_remedy(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "configs").mkdir()
    problems = check(
        tmp_path, changed("    protocol: feed", "    protocl: feed"), "configs/ate.yml"
    )
    assert [str(p) for p in problems] == [
        "configs/ate.yml:20: sources[0].protocl: no such key; did you mean «protocol»?"
    ]


SCHEMA = [
    ("country: PE\n", "country: PE\ncolour: red\n", 4, "colour", "no such key", "country"),
    ("country: PE\n", "country: PE\nxyzzy: 1\n", 4, "xyzzy", "no such key", "the keys here are"),
    ("    title: Radio\n", "", 18, "sources[0].title", "missing", "title: RPP Noticias"),
    ("country: PE\n", "", 1, "country", "missing", "country: PE"),
    ("  email: datos@example.org\n", "", 6, "contact.email", "missing", "email: datos@"),
    ("protocol: feed", "protocol: rss", 20, "sources[0].protocol", "«rss»", "did you mean «feed»?"),
    ("protocol: feed", "protocol: fed", 20, "sources[0].protocol", "«fed»", "feed, pages, sitemap"),
    ('"150103"', "150103", 4, "ubigeo", "YAML reads this as a number", 'ubigeo: "150103"'),
    ('"150103"', '"15"', 4, "ubigeo", "six digits", '"150103"'),
    ("country: PE", "country: Peru", 3, "country", "two capital letters", "PE"),
    ("country: PE", "country: no", 3, "country", "YAML reads this as yes or no", '"no"'),
    ("America/Lima", "Lima", 5, "time_zone", "«Lima»", "America/Lima"),
    ("America/Lima", "America", 5, "time_zone", "«America»", "America/Lima"),
    ("datos@example.org", "datos", 8, "contact.email", "no e-mail", "datos@example.org"),
    ("name: radio", "name: Radio Ñuñoa", 18, "sources[0].name", "small letters", "radio-nunoa"),
    ("title: Radio", "title: [a]", 19, "sources[0].title", "not a list", "title: RPP"),
    ("title: Radio", "title:", 19, "sources[0].title", "nothing is written", "title: RPP"),
    ("title: Radio", "title: 2024-01-01", 19, "sources[0].title", "a date", '"2024-01-01"'),
    ("title: Radio", "title: ''", 19, "sources[0].title", "the text is empty", "title: RPP"),
    ("title: Radio", "title: " + "x" * 301, 19, "sources[0].title", "too long", "shorten"),
    ("protocol: feed", "protocol: feed\n    follow: sí", 21, "sources[0].follow", "yes or no",
     "true"),
    ("name: Ate\n", "name: Ate\nwindows: {days: 0}\n", 3, "windows.days", "at least 1", "30"),
    ("name: Ate\n", "name: Ate\nwindows: {days: x}\n", 3, "windows.days", "a number", "days: 30"),
    ("name: Ate\n", "name: Ate\nwindows: {start: ayer}\n", 3, "windows.start", "a date",
     "2026-03-01"),
    ("name: Ate\n", "name: Ate\nwindows: {start: 2024-13-45}\n", 3, "windows.start", "a date",
     "2026"),
    ("name: Ate\n", "name: Ate\nwindows: 30\n", 3, "windows", "keys are wanted", "days, start"),
    ("name: Ate\n", "name: Ate\nmodel: {tasks: {tone: {name: a, labels: {}}}}\n", 3,
     "model.tasks.tone", "«tone»", "category, sentiment, intent"),
    ("[transport, ", "[transport, trafic, ", 14, "areas[0].categories[1]", "«trafic»", "transport"),
    ("categories: [education", "categories: []\n    x: [a", 16, "areas[1].categories", "empty",
     "["),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "line", "path", "message", "advice"), SCHEMA)
def test_what_the_schema_refuses(
    tmp_path: Path, old: str, new: str, line: int, path: str, message: str, advice: str
) -> None:
    found = [p for p in check(tmp_path, changed(old, new)) if p.path == path]
    assert [p.line for p in found] == [line]
    assert message in found[0].message
    assert advice in found[0].advice
    assert not found[0].warning


ADDRESS = "sources[0].url"
CROSS = [
    ("name: muni\n", "name: radio\n", 22, "sources[1].name", "used already, in line 18", "its own"),
    ("code: ceres", "code: vitarte", 11, "zones[1].code", "used already, in line 10", "its own"),
    ("Gerencia Social", "Gerencia de Servicios", 15, "areas[1].name", "in line 13", "its own"),
    ("https://example.pe/feed", "/feed", 21, ADDRESS, "no base_url", "https://"),
    ("https://example.pe/feed", "rpp.pe/rss", 21, ADDRESS, "beginning", "write https://rpp.pe/rss"),
    ("https://example.pe/feed", "ftp://example.pe/", 21, ADDRESS, "no http", "https://"),
    ("https://example.pe/feed", "file:///etc/passwd", 21, ADDRESS, "no http", "https://"),
    ("https://example.pe/feed", "http://[::1", 21, ADDRESS, "no http", "https://"),
    ("https://example.pe/feed", "http://a.pe:99999/", 21, ADDRESS, "no http", "https://"),
    ("https://example.pe/feed", "https://u:p@a.pe/", 21, ADDRESS, "password", "remove it"),
    ("https://example.pe/feed", "http://127.0.0.1/a", 21, ADDRESS, "loopback", "allow_private"),
    ("https://example.pe/feed", "http://localhost:8/a", 21, ADDRESS, "loopback", "allow_private"),
    ("    url: https://example.pe/feed\n", "", 18, ADDRESS, "needs this key", "url: https://"),
    ('"article a"', '"article >"', 26, "sources[1].links", "no CSS selector", "article h2 a"),
    ("protocol: upload", "protocol: upload\n    url: https://a.pe", 30, "sources[2].url",
     "«upload»", "remove"),
    ("protocol: upload", "protocol: upload\n    follow: true", 30, "sources[2].follow", "«upload»",
     "remove"),
    ("protocol: upload", "protocol: upload\n    comments: true", 30, "sources[2].comments",
     "means nothing", "remove"),
    ("protocol: feed", "protocol: feed\n    links: a", 21, "sources[0].links", "«feed»", "remove"),
    ("name: Ate\n", "name: Ate\nbase_url: example.pe\n", 3, "base_url", "no http", "https://"),
    ("code: ate", "code: lima", 1, "code", "named «ate.yml»", "lima.yml"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "line", "path", "message", "advice"), CROSS)
def test_what_does_not_fit_together(
    tmp_path: Path, old: str, new: str, line: int, path: str, message: str, advice: str
) -> None:
    (found,) = check(tmp_path, changed(old, new))
    assert (found.line, found.path, found.warning) == (line, path, False)
    assert message in found.message
    assert advice in found.advice


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("    columns: {text: comentario, date: fecha}\n", ""),
        ("https://example.pe/feed", "http://127.0.0.1:8/a\n    allow_private: true"),
        ("    protocol: feed\n", "    protocol: feed\n    follow: true\n    comments: true\n"),
    ],
)
def test_what_is_fine(tmp_path: Path, old: str, new: str) -> None:
    assert check(tmp_path, changed(old, new)) == []


def test_a_relative_address_with_its_base(tmp_path: Path) -> None:
    text = changed("https://example.pe/feed", "/feed")
    assert check(tmp_path, "base_url: https://example.pe\n" + text) == []
    (found,) = check(tmp_path, "base_url: http://127.0.0.1:8765\n" + text)
    assert (found.line, found.path) == (22, "sources[0].url")


def test_a_category_without_an_area_is_a_warning(tmp_path: Path) -> None:
    (found,) = check(tmp_path, changed("[transport, health, ", "[health, "))
    assert (found.line, found.warning) == (12, True)
    assert "transport" in found.message
    assert ": warning: areas:" in str(found)


def test_all_sources_disabled_is_a_warning(tmp_path: Path) -> None:
    text = GOOD.replace("    title:", "    enabled: false\n    title:")
    (found,) = check(tmp_path, text)
    assert (found.line, found.path, found.warning) == (17, "sources", True)


def test_all_problems_are_found_at_once(tmp_path: Path) -> None:
    text = GOOD.replace("protocol: feed", "protocl: feed").replace("PE", "Peru")
    text = text.replace("name: muni\n", "name: radio\n")
    assert [p.line for p in check(tmp_path, text)] == [3, 20, 22]


def test_a_list_whose_every_item_is_wrong_is_not_called_empty(tmp_path: Path) -> None:
    text = GOOD.replace("    title:", "    titel:")
    assert [p.path for p in check(tmp_path, text)] == [f"sources[{i}].titel" for i in range(3)]


def test_anchors_and_merges_keep_their_lines(tmp_path: Path) -> None:
    text = GOOD.replace("    url: https://example.pe/feed", "    url: https://example.pe/feed\n"
                        "    limits: &slow {delay: 9}")  # fmt: skip
    text = text.replace('"article a"', '"article a"\n    limits: {<<: *slow, max_requests: x}')
    (found,) = check(tmp_path, text)
    assert (found.line, found.path) == (28, "sources[1].limits.max_requests")


YAML = [
    ("", 1, "empty", "ships"),
    ("# nothing\n", 1, "empty", "ships"),
    ("- a\n", 1, "made of keys", "key: value"),
    ("code: ate\nname: Ate\ncode: lima\n", 3, "given twice, first in line 1", "keep one"),
    ("code: ate\ncontact:\n\tname: x\n", 3, "a tab", "two spaces"),
    ("code: ate\nname: Ate: Lima\n", 2, "«:» in the wrong place", "in quotes"),
    ("code: ate\nname: 'Ate\n\nx: y\n", 2, "never closed", "close it"),
    ("code: ate\nname: %Ate\n", 2, "a sign that YAML keeps", "in quotes"),
    ("code: ate\nname: *ate\n", 2, "«*alias»", "in quotes"),
    ("code: ate\n---\ncode: lima\n", 2, "second document", "remove"),
    ("code: ate\nname: !!python/object:os.system x\n", 2, "the tag", "remove it"),
    ("code: ate\n? [a, b]\n: c\n", 2, "one word", "key: value"),
    ("code: ate\na: &a [*a]\n", 2, "alias", "write the values out"),
    ("code: ate\n" + "x: " + "[" * 40 + "]" * 40, 2, "nested deeper", "flatter"),
    (b"code: ate\nname: \xff\n", 2, "not UTF-8", "save the file as UTF-8"),
    (b"code: ate\nname: a\0b\n", 2, "U+0000", "delete it"),
    (b"a: 1\n" * 500_000, 1, "larger than 2 MB", "smaller"),
    (b"[" + b"1," * 60_000 + b"]", 1, "more than 50,000 values", "split"),
]


@pytest.mark.parametrize(("text", "line", "message", "advice"), YAML)
def test_what_is_no_readable_yaml(
    tmp_path: Path, text: str | bytes, line: int, message: str, advice: str
) -> None:
    found = [p for p in check(tmp_path, text) if message in p.message]
    assert [p.line for p in found] == [line]
    assert advice in found[0].advice


def test_aliases_that_grow_without_bound(tmp_path: Path) -> None:
    names = "abcdefghij"
    lines = ["a: &a [x, x, x, x, x, x, x, x, x]"]
    lines += [f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]" for a, b in pairwise(names)]
    (found,) = check(tmp_path, "\n".join(lines))
    assert "grow without bound" in found.message


def test_a_missing_file_and_a_folder(tmp_path: Path) -> None:
    (missing,) = check_file(tmp_path / "ate.yml")
    assert "no such file" in missing.message
    (folder,) = check_file(tmp_path)
    assert "not a file" in folder.message


def test_a_message_stays_in_one_line_without_terminal_codes(tmp_path: Path) -> None:
    (found,) = check(tmp_path, changed("protocol: feed", r'protocol: "a\n\eb"'))
    assert str(found).isprintable()


TAXONOMY = [
    ("work_category: 7", "work_category: 12", 5, "categories[0].work_category", "at most 9"),
    ("work_category: 7}", "colour: 7}", 5, "categories[0].colour", "no such key"),
    (", work_category: 7}", "}", 5, "categories[0]", "feeds no work category"),
    ("code: transport", "code: trasport", 5, "categories[0].code", "«trasport»"),
    ("code: transport", "code: trasport", 4, "categories", "missing: transport"),
    ("code: transport", "code: health", 6, "categories[1].code", "there twice"),
    ("  neutral:", "  neutrall:", 23, "sentiments.neutrall", "«neutrall»"),
    ("  neutral:", "  neutrall:", 21, "sentiments", "missing: neutral"),
    ("  praise:", "  prase:", 25, "intents", "missing: praise"),
    ("  9: {", "  10: {", 34, "work_categories", "missing: 9"),
    ('"2026.1"', "2026.1", 3, "version", "a number"),
    ("es: Positivo, en", "en", 24, "sentiments.positive.es", "missing"),
]


@pytest.mark.parametrize(("old", "new", "line", "path", "message"), TAXONOMY)
def test_the_taxonomy(
    tmp_path: Path, old: str, new: str, line: int, path: str, message: str
) -> None:
    text = (SHIPPED / "taxonomy.yml").read_text(encoding="utf-8")
    assert old in text
    file = tmp_path / "taxonomy.yml"
    file.write_text(text.replace(old, new, 1), encoding="utf-8")
    found = [p for p in check_taxonomy(file) if p.path == path]
    assert [p.line for p in found] == [line]
    assert message in found[0].message


def test_the_taxonomy_in_another_order(tmp_path: Path) -> None:
    values = yaml.safe_load((SHIPPED / "taxonomy.yml").read_text(encoding="utf-8"))
    values["categories"].reverse()
    file = tmp_path / "taxonomy.yml"
    file.write_text(yaml.safe_dump(values), encoding="utf-8")
    (found,) = check_taxonomy(file)
    assert "order" in found.message


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/", "http://127.1/", "http://2130706433/", "http://0x7f000001/",
        "http://0177.0.0.1/", "http://[::1]/", "http://[::ffff:10.0.0.1]/", "http://10.1.2.3/",
        "http://192.168.0.1/", "http://169.254.169.254/", "http://0.0.0.0/", "http://localhost./",
        "http://nas.local/", "http://intranet/", "http://224.0.0.1/", "http://[fe80::1%25eth0]/",
        "http://１２７.０.０.１/", "http://100.64.0.1/",
    ],
)  # fmt: skip
def test_private_addresses(url: str) -> None:
    assert is_private(url)


@pytest.mark.parametrize("url", ["https://rpp.pe/rss", "http://8.8.8.8/", "http://[2606:4700::1]/"])
def test_public_addresses(url: str) -> None:
    assert not is_private(url)


def test_relative_addresses() -> None:
    assert is_relative("/feed")
    assert is_relative("noticias?x=a:b")
    assert not is_relative("//evil.example/x")
    assert not is_relative("javascript:alert(1)")


PIECES = st.sampled_from(
    [*GOOD.split("\n"), "\t", "  - ", ": ", "&a", "*a", "<<: *a", "!!int x", "{", "[", "'",
     '"\\UFFFFFFFF"',
     "%YAML 9.9", "---", "? ", "| ", "0o9", "0b_", "1:99", ".inf", "\u2028", "x: " + "9" * 5000]
)  # fmt: skip


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.one_of(
        st.binary(max_size=200),
        st.text(max_size=200).map(lambda s: s.encode("utf-8", "replace")),
        st.lists(PIECES, max_size=25).map(lambda p: "\n".join(p).encode()),
    )
)
@example(b'a: "\\UFFFFFFFF"')
@example(b"%YAML 99999999999999999999.1\n---\na: b")
@example(b"a: &a\n  <<: *a")
@example(b"&b\n<<: [*b]")
@example(b"a: !!timestamp x\nb: !!bool x\nc: !!float x")
def test_no_file_makes_it_raise(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "any.yml"
    path.write_bytes(data)
    lines = data.count(b"\n") + data.count(b"\r") + 1
    for problem in [*check_file(path), *check_taxonomy(path)]:
        assert str(problem).isprintable()
        assert 1 <= problem.line <= lines


def test_working_days_need_a_term_and_a_country_whose_holidays_are_known(tmp_path: Path) -> None:
    text = (SHIPPED / "municipalities" / "ate.yml").read_text("utf-8")
    path = tmp_path / "ate.yml"
    path.write_text(text.replace("    answer_days: 7\n", "", 1), "utf-8")
    (problem,) = check_file(path)
    assert problem.path == "areas[2].working_days"
    assert "there are none; write answer_days: 30 too" in str(problem)
    path.write_text(text.replace("country: PE", "country: ZZ"), "utf-8")
    assert {"the public holidays of ZZ are not known"} == {p.message for p in check_file(path)}
    path.write_text(text.replace("answer_days: 7\n", "answer_days: 0\n", 1), "utf-8")
    assert "must be at least 1" in str(check_file(path)[0])
