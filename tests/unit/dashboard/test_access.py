"""Signing in, roles, tokens, keys: what strangers, users and programs get."""

import re
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, select

from dashboard.access import Attempts, Door, Gate, Person
from dashboard.app import create_app
from dashboard.security import LARGEST
from models.errors import InputError
from models.tables import AuditRow
from pipelines.accounts import add, authenticate, disable, make_key, set_password
from pipelines.store.users import find_user, list_users, revoke_key
from tests.unit.dashboard.conftest import opened
from tests.unit.report.town import busy_town

PASSWORD = "una clave que nadie adivina"


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    """A small town with a user of each role."""
    made = opened(busy_town(60), tmp_path_factory.mktemp("access") / "town.db")
    for role in ("viewer", "analyst", "reviewer", "admin"):
        add(made, role, role, PASSWORD, "tests")
    return made


@pytest.fixture
def client(engine: Engine, own: Path) -> TestClient:
    return TestClient(create_app(engine, own), follow_redirects=False)


def token(client: TestClient, address: str = "/entrar") -> str:
    found = re.search(r'name="token" value="([^"]+)"', client.get(address).text)
    assert found
    return found[1]


def sign_in(client: TestClient, name: str, password: str = PASSWORD, to: str = "/"):
    form = {"token": token(client), "name": name, "password": password, "to": to}
    return client.post("/entrar", data=form)


def test_a_stranger_is_asked_to_sign_in_and_comes_back(client: TestClient) -> None:
    answer = client.get("/categorias?category=waste")

    assert answer.status_code == 303
    assert answer.headers["location"] == "/entrar?to=/categorias%3Fcategory%3Dwaste"
    back = sign_in(client, "viewer", to="/categorias?category=waste")
    assert back.headers["location"] == "/categorias?category=waste"
    page = client.get("/")
    assert page.status_code == 200
    assert "viewer" in page.text


@pytest.mark.parametrize(
    "address", ["/tablas/insight_category.csv", "/manifestaciones", "/ejecuciones", "/metodologia"]
)
def test_nothing_is_given_to_strangers(client: TestClient, address: str) -> None:
    assert client.get(address).status_code == 303


@pytest.mark.parametrize("to", ["//evil.pe", "https://evil.pe", "/\\evil.pe", "/\r\nx: y", ""])
def test_nobody_is_sent_elsewhere_after_signing_in(client: TestClient, to: str) -> None:
    assert sign_in(client, "viewer", to=to).headers["location"] == "/"


def test_the_cookie_is_kept_from_scripts_and_other_sites(engine: Engine, own: Path) -> None:
    safe = TestClient(
        create_app(engine, own, Door(secure=True, local=False)), base_url="https://testserver"
    )
    cookie = safe.get("/entrar").headers["set-cookie"].lower()

    assert "httponly" in cookie
    assert "secure" in cookie
    assert "samesite=strict" in cookie


def test_forms_without_the_pages_token_change_nothing(client: TestClient) -> None:
    given = {"name": "viewer", "password": PASSWORD}

    assert client.post("/entrar", data=given).status_code == 403
    token(client)
    assert client.post("/entrar", data=given | {"token": "otro"}).status_code == 403
    assert client.get("/").status_code == 303


def test_a_wrong_password_is_told_from_nothing_and_then_refused(client: TestClient) -> None:
    for _ in range(5):
        wrong = sign_in(client, "viewer", "no es esta clave")
        assert wrong.status_code == 401
    late = sign_in(client, "viewer")

    assert late.status_code == 429
    assert int(late.headers["retry-after"]) > 800
    unknown = sign_in(TestClient(client.app), "nadie", "no es esta clave")
    assert unknown.status_code == 401
    elsewhere = TestClient(client.app, client=("192.0.2.7", 4000), follow_redirects=False)
    assert sign_in(elsewhere, "viewer").status_code == 303  # a stranger's tries shut nobody out


def test_one_address_may_not_try_name_after_name() -> None:
    gate = Gate()
    for number in range(30):
        assert gate.wait(f"n{number}", "2001:db8::1") == 0
        gate.failed(f"n{number}", f"2001:db8::{number}")  # one network, whichever address of it
    assert gate.wait("otra", "2001:db8::ffff") > 800
    assert gate.wait("otra", "2001:db8:0:1::1") == 0
    assert gate.wait("otra", "testclient") == 0


def test_what_is_kept_of_tries_does_not_grow_without_bound() -> None:
    attempts = Attempts(most=1, keys=2)
    for key in ("a", "b", "c"):
        for _ in range(5):
            attempts.failed(key)
    assert [attempts.wait(key) > 0 for key in ("a", "b", "c")] == [False, True, True]


def test_tries_are_forgiven_with_time() -> None:
    now = [0.0]
    attempts = Attempts(most=2, seconds=10, clock=lambda: now[0])
    attempts.failed("a")
    now[0] = 4
    attempts.failed("a")

    assert attempts.wait("a") == 6
    now[0] = 10
    assert attempts.wait("a") == 0


def test_signing_out_and_being_shut_out_end_the_session(engine: Engine, own: Path) -> None:
    app = create_app(engine, own)
    client = TestClient(app, follow_redirects=False)
    add(engine, "rosa", "viewer", PASSWORD, "tests")
    sign_in(client, "rosa")
    assert client.get("/").status_code == 200

    client.post("/salir", data={"token": token(client, "/")})
    assert client.get("/").status_code == 303
    sign_in(client, "rosa")
    set_password(engine, "rosa", PASSWORD + " nueva", "tests")
    assert client.get("/").status_code == 303
    sign_in(client, "rosa", PASSWORD + " nueva")
    disable(engine, "rosa", "tests")
    assert client.get("/").status_code == 303


def test_what_is_done_to_users_is_written_down(engine: Engine) -> None:
    with engine.connect() as connection:
        actions = set(connection.scalars(select(AuditRow.action)))
        details = str(connection.execute(select(AuditRow.detail)).all())

    assert {"user added", "signed in"} <= actions
    assert PASSWORD not in details


def test_passwords_are_kept_as_argon2_alone(engine: Engine) -> None:
    user = find_user(engine, "viewer")

    assert user is not None
    assert user.password_hash.startswith("$argon2id$")
    assert authenticate(engine, "viewer", PASSWORD) == user
    assert authenticate(engine, "viewer", PASSWORD.upper()) is None
    assert authenticate(engine, "' OR 1=1 --", PASSWORD) is None


@pytest.mark.parametrize(
    ("name", "role", "password"),
    [
        ("ana", "viewer", "corta"),
        ("ana", "jefa", PASSWORD),
        ("ana maría", "viewer", PASSWORD),
        ("<b>", "viewer", PASSWORD),
        ("viewer", "viewer", PASSWORD),
    ],
)
def test_users_that_will_not_do_are_refused(
    engine: Engine, name: str, role: str, password: str
) -> None:
    before = list_users(engine)

    with pytest.raises(InputError):
        add(engine, name, role, password, "tests")
    assert list_users(engine) == before


def test_a_key_reads_tables_until_it_is_revoked(client: TestClient, engine: Engine) -> None:
    key = make_key(engine, "analyst", "tests")
    header = {"authorization": f"Bearer {key}"}

    assert client.get("/api/v1/tables", headers=header).status_code == 200
    assert client.get("/api/v1/tables").status_code == 401
    assert client.get("/api/v1/tables", headers={"authorization": "Bearer x"}).status_code == 401
    revoke_key(engine, key[:10], "tests")
    assert client.get("/api/v1/tables", headers=header).status_code == 401


@pytest.mark.parametrize(
    ("role", "wanted", "may"),
    [
        ("viewer", "viewer", True),
        ("viewer", "reviewer", False),
        ("admin", "reviewer", True),
        ("", "viewer", False),
    ],
)
def test_a_role_may_what_those_before_it_may(role: str, wanted: str, may: bool) -> None:
    assert Person("x", role).may(wanted) is may


LARGE = b"x" * (LARGEST + 1)


@pytest.mark.parametrize("path", ["/entrar", "/open311/v2/requests.json", "/revision"])
def test_a_large_request_is_refused_unread(client: TestClient, path: str) -> None:
    """Nobody need sign in to send one: a form's files would fill the disk."""
    assert client.post(path, files={"file": LARGE}).status_code == 413
    assert client.post(path, data={"name": "x" * LARGEST}).status_code == 413


@pytest.mark.parametrize("path", ["/entrar", "/open311/v2/requests.json"])
def test_a_request_that_hides_how_large_it_is_is_cut_off(client: TestClient, path: str) -> None:
    kind = {"content-type": "multipart/form-data; boundary=b"}
    head = b'--b\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\n'
    pieces = (head, *[LARGE] * 8, b"\r\n--b--\r\n")

    answer = client.post(path, content=iter(pieces), headers=kind)

    assert "content-length" not in answer.request.headers
    assert answer.status_code in (400, 413)
