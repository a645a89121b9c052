"""Signing in at a provider: a small real one on loopback, with keys, signatures and a memory."""

import json
import secrets
import time
from base64 import b64decode, urlsafe_b64encode
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest
from fastapi.testclient import TestClient
from joserfc import jwt
from joserfc.jwk import RSAKey
from sqlalchemy import Engine, select

from configs.sign_on import SignOn
from dashboard.access import Door
from dashboard.app import create_app
from dashboard.sign_on import Provider
from models.errors import ConfigError, InputError
from models.tables import AuditRow
from pipelines.accounts import add, authenticate, disable, let_in
from pipelines.store.users import find_user
from tests.unit.dashboard.conftest import opened
from tests.unit.report.town import busy_town

CLIENT, SECRET = "manifiesta", "un-secreto-de-prueba"
KEY, OTHER_KEY = (RSAKey.generate_key(2048, {"kid": "k1"}) for _ in range(2))


@dataclass
class Issuer:
    """What the provider says and remembers; tests make it lie."""

    address: str = ""
    person: dict[str, Any] = field(
        default_factory=lambda: {"sub": "17", "preferred_username": "E-07", "groups": ["datos"]}
    )
    claims: dict[str, Any] = field(default_factory=dict)
    calls_itself: str | None = None
    key: RSAKey = field(default_factory=lambda: KEY)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)

    @property
    def metadata(self) -> dict[str, Any]:
        return {
            "issuer": self.calls_itself or self.address,
            "authorization_endpoint": f"{self.address}/authorize",
            "token_endpoint": f"{self.address}/token",
            "jwks_uri": f"{self.address}/keys",
            "id_token_signing_alg_values_supported": ["RS256"],
            "code_challenge_methods_supported": ["S256"],
        }

    def authorize(self, asked: dict[str, str]) -> str:
        """Return where to send the browser: a person says yes."""
        code = secrets.token_urlsafe(8)
        self.codes[code] = asked
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}"

    def token(self, given: dict[str, str], credentials: str) -> dict[str, Any] | None:
        """Return the tokens of a code, once, to the client that it was given to."""
        asked = self.codes.pop(given.get("code", ""), None)
        if asked is None or b64decode(credentials).decode() != f"{CLIENT}:{SECRET}":
            return None
        digest = sha256(given.get("code_verifier", "").encode()).digest()
        if asked["code_challenge"] != urlsafe_b64encode(digest).rstrip(b"=").decode():
            return None
        now = int(time.time())
        claims = {
            "iss": self.address,
            "aud": CLIENT,
            "iat": now,
            "exp": now + 60,
            "nonce": asked["nonce"],
            **self.person,
            **self.claims,
        }
        token = jwt.encode({"alg": "RS256", "kid": "k1"}, claims, self.key)
        return {"access_token": "a", "token_type": "Bearer", "id_token": token}


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    """Serve a provider on loopback."""
    found = Issuer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path, _, query = self.path.partition("?")
            asked = {name: values[0] for name, values in parse_qs(query).items()}
            if path == "/authorize":
                self.send_response(302)
                self.send_header("location", found.authorize(asked))
                self.end_headers()
            elif path == "/keys":
                self._answer({"keys": [KEY.as_dict(private=False)]})
            elif path == "/.well-known/openid-configuration":
                self._answer(found.metadata)
            else:
                self._answer({}, 404)

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"])).decode()
            given = {name: values[0] for name, values in parse_qs(body).items()}
            tokens = found.token(given, self.headers.get("authorization", "").split(" ")[-1])
            self._answer(tokens or {"error": "invalid_grant"}, 200 if tokens else 400)

        def _answer(self, value: object, status: int = 200) -> None:
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps(value).encode())

        def log_message(self, format: str, *_: object) -> None:  # noqa: A002
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found.address = f"http://127.0.0.1:{server.server_port}"
    Thread(target=server.serve_forever, daemon=True).start()
    yield found
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    return opened(busy_town(60), tmp_path_factory.mktemp("sign-on") / "town.db")


@pytest.fixture
def client(issuer: Issuer, engine: Engine, own: Path) -> TestClient:
    """A browser before a dashboard that knows the provider."""
    roles = {"datos": "analyst", "alcaldia": "viewer", "sistemas": "admin"}
    known = SignOn(issuer.address, CLIENT, SECRET, roles)
    door = Door(provider=Provider(known))
    return TestClient(create_app(engine, own, door), follow_redirects=False)


def sign_in(client: TestClient, to: str = "/") -> httpx.Response:
    """Go to the provider and come back."""
    return client.get(come_back(client, to))


def come_back(client: TestClient, to: str = "/") -> str:
    """Return the address that the provider sends the browser back to."""
    leaving = client.get("/entrar/oidc", params={"to": to})
    assert leaving.status_code == 302
    return str(httpx.get(leaving.headers["location"]).headers["location"])


def test_a_person_of_a_group_signs_in_and_comes_back_to_the_page(
    client: TestClient, engine: Engine
) -> None:
    assert client.get("/fuentes").status_code == 303  # also on this machine alone
    assert "/entrar/oidc?to=/fuentes" in client.get("/entrar?to=/fuentes").text
    answer = sign_in(client, "/fuentes")

    assert (answer.status_code, answer.headers["location"]) == (303, "/fuentes")
    page = client.get("/fuentes")
    assert page.status_code == 200
    assert "E-07" in page.text
    user = find_user(engine, "E-07")
    assert user is not None
    assert user.role == "analyst"
    assert authenticate(engine, "E-07", user.password_hash) is None


def test_the_browser_is_asked_with_state_nonce_and_challenge(client: TestClient) -> None:
    leaving = client.get("/entrar/oidc")
    asked = parse_qs(urlsplit(leaving.headers["location"]).query)

    assert asked["response_type"] == ["code"]
    assert asked["code_challenge_method"] == ["S256"]
    assert len(asked["state"][0]) >= 16
    assert len(asked["nonce"][0]) >= 16
    assert asked["redirect_uri"] == ["http://testserver/entrar/oidc/vuelta"]


def test_a_changed_group_changes_the_role_and_no_group_lets_nobody_in(
    client: TestClient, issuer: Issuer, engine: Engine
) -> None:
    issuer.person = {"sub": "21", "preferred_username": "E-21", "groups": ["otros", "alcaldia"]}
    assert sign_in(client).status_code == 303
    issuer.person["groups"] = ["alcaldia", "sistemas"]
    assert sign_in(client).status_code == 303
    user = find_user(engine, "E-21")
    assert user is not None
    assert (user.role, user.epoch) == ("admin", 2)
    issuer.person["groups"] = ["otros"]
    assert sign_in(client).status_code == 403


@pytest.mark.parametrize(
    "lie",
    [
        {"iss": "https://otro.example"},
        {"aud": "otra-aplicacion"},
        {"nonce": "otro"},
        {"exp": 1_000_000_000},
        {"sub": None},
    ],
    ids=lambda lie: next(iter(lie)),
)
def test_a_token_that_is_not_for_us_and_now_opens_nothing(
    client: TestClient, issuer: Issuer, engine: Engine, lie: dict[str, Any]
) -> None:
    issuer.claims = lie
    answer = sign_in(client)

    assert answer.status_code == 403
    assert "No se pudo entrar" in answer.text
    assert client.get("/").status_code == 303
    with engine.connect() as connection:
        last = connection.execute(select(AuditRow).order_by(AuditRow.id.desc())).first()
    assert last is not None
    assert (last.action, last.actor) == ("sign-in failed", "oidc")


def test_a_token_of_another_key_opens_nothing(client: TestClient, issuer: Issuer) -> None:
    issuer.key = OTHER_KEY
    assert sign_in(client).status_code == 403


def test_a_provider_that_calls_itself_another_is_not_used(
    client: TestClient, issuer: Issuer
) -> None:
    issuer.calls_itself = "https://otro.example"
    assert client.get("/entrar/oidc").status_code == 403


def test_a_provider_that_does_not_answer_is_told_of(own: Path, engine: Engine) -> None:
    known = SignOn("http://127.0.0.1:1", CLIENT, SECRET, {"datos": "viewer"})
    client = TestClient(create_app(engine, own, Door(provider=Provider(known))))
    assert client.get("/entrar/oidc").status_code == 403


def test_another_browsers_answer_and_an_answer_sent_twice_open_nothing(
    client: TestClient, issuer: Issuer
) -> None:
    issuer.person["preferred_username"] = "E-40"
    address = come_back(client)
    stranger = TestClient(client.app, follow_redirects=False)
    assert stranger.get(address).status_code == 403
    assert client.get(address.replace("state=", "state=x")).status_code == 403
    again = come_back(client)
    assert client.get(again).status_code == 303
    assert stranger.get(again).status_code == 403
    assert client.get(again).status_code == 403


def test_a_refusal_at_the_provider_is_told(client: TestClient) -> None:
    client.get("/entrar/oidc")
    answer = client.get("/entrar/oidc/vuelta?error=access_denied&error_description=<script>")
    assert answer.status_code == 403
    assert "<script>" not in answer.text


def test_a_name_never_passes_to_another_person(engine: Engine) -> None:
    add(engine, "jefa", "admin", "una clave que nadie adivina", "tests")
    with pytest.raises(InputError, match="another user's"):
        let_in(engine, "jefa", "viewer", "https://idp.example 1")
    let_in(engine, "E-30", "viewer", "https://idp.example 30")
    with pytest.raises(InputError, match="another user's"):
        let_in(engine, "E-30", "viewer", "https://idp.example 31")
    disable(engine, "E-30", "tests")
    with pytest.raises(InputError, match="disabled"):
        let_in(engine, "E-30", "viewer", "https://idp.example 30")
    with pytest.raises(InputError, match="no name"):
        let_in(engine, "<script>", "viewer", "https://idp.example 32")


def test_without_a_provider_there_is_no_such_door(visit: TestClient) -> None:
    assert visit.get("/entrar/oidc").status_code == 404
    assert "/entrar/oidc" not in visit.get("/entrar").text


@pytest.mark.parametrize("issuer_", ["http://idp.example", "idp.example", "ftp://127.0.0.1"])
def test_an_issuer_without_https_is_refused(issuer_: str) -> None:
    with pytest.raises(ConfigError, match="https"):
        SignOn(issuer_, CLIENT, SECRET, {"datos": "viewer"})
