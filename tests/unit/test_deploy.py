"""What the image and the composition start is what the command line has."""

import re
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from configs.settings import Settings
from flows.cli import app
from models.errors import ConfigError

ROOT = Path(__file__).parents[2]
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text())
DOCKERFILE = (ROOT / "Dockerfile").read_text()


@pytest.mark.parametrize("name", ["worker", "dashboard"])
def test_the_services_start_verbs_that_there_are(name: str) -> None:
    verb, *options = COMPOSE["services"][name]["command"]
    said = CliRunner().invoke(app, [verb, "--help"], env={"TERM": "dumb", "COLUMNS": "200"})
    assert said.exit_code == 0
    for option in (one for one in options if one.startswith("--")):
        assert option in said.output


def test_the_services_are_confined_and_publish_only_on_this_machine() -> None:
    for service in COMPOSE["services"].values():
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ()))
    for name in ("worker", "dashboard"):
        service = COMPOSE["services"][name]
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert set(service["secrets"]) == set(COMPOSE["secrets"])


def test_the_image_runs_as_nobody_special_from_the_wheel_alone() -> None:
    last = DOCKERFILE.rpartition("FROM ")[2]
    assert "USER 10001" in last
    assert "HEALTHCHECK" in last
    copied = re.findall(r"^COPY (.+)$", last, re.MULTILINE)
    assert copied == ["--from=environment /opt/manifiesta /opt/manifiesta"]
    lock = (ROOT / "requirements.lock").read_text()
    for pinned in re.findall(r"(torch==[\d.]+)", DOCKERFILE):
        assert f"\n{pinned}\n" in lock
    project = re.search(r"packages = (\[.*\])", (ROOT / "pyproject.toml").read_text())
    assert project is not None
    for package in re.findall(r'"(\w+)"', project.group(1)):
        assert f"COPY {package} {package}" in DOCKERFILE


def test_secrets_may_come_from_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    password, key = tmp_path / "password", tmp_path / "key"
    password.write_text("a/b:c@d\n")
    key.write_text("k" * 40 + "\n")
    monkeypatch.delenv("MANIFIESTA_PSEUDONYM_KEY")
    monkeypatch.setenv("MANIFIESTA_DATABASE_URL", "postgresql://ana@db:5432/m")
    monkeypatch.setenv("MANIFIESTA_DATABASE_PASSWORD_FILE", str(password))
    monkeypatch.setenv("MANIFIESTA_PSEUDONYM_KEY_FILE", str(key))
    settings = Settings.load()
    assert settings.database == "postgresql://ana:a%2Fb%3Ac%40d@db:5432/m"
    assert settings.pseudonym_secret() == b"k" * 40
    assert "a/b" not in repr(settings)
    monkeypatch.setenv("MANIFIESTA_PSEUDONYM_KEY_FILE", str(tmp_path / "none"))
    with pytest.raises(ConfigError, match="MANIFIESTA_PSEUDONYM_KEY_FILE"):
        Settings.load()
