"""The dashboard over the municipality whose neighbours ask for things."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml
from fastapi.testclient import TestClient
from httpx import Response

from dashboard.app import create_app
from dashboard.open311 import Receiving
from pipelines.aggregate import aggregate
from pipelines.counted import Counted
from pipelines.privacy import Pseudonymiser
from pipelines.store.write import Store
from tests.unit.demands.asking import VILLA
from tests.unit.store.builders import MARCH, MODEL, TAXONOMY, begun

KEY = "a key for other systems"


@dataclass
class Panel:
    """A visitor, what is behind the pages, and how a form is filled in."""

    store: Store
    client: TestClient

    def get(self, path: str, code: int = 200) -> str:
        answer = self.client.get(path)
        assert answer.status_code == code, answer.text[:300]
        return answer.text

    def send(self, page: str, action: str, **given: object) -> Response:
        """Fill in the form of a page that leads to an address ending so, and send it."""
        form = next(
            form
            for form in _forms(self.get(page))
            if re.search(rf'action="[^"]*{re.escape(action)}"', form)
        )
        hidden = re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', form)
        where = re.search(r'action="([^"]*)"', form)
        assert where
        return self.client.post(where[1], data=dict(hidden) | given, follow_redirects=False)


def _forms(page: str) -> Iterator[str]:
    return (found[0] for found in re.finditer(r'<form [^>]*method="post".*?</form>', page, re.S))


def opened(store: Store, folder: Path) -> Panel:
    """Count what is stored and open the pages over it."""
    run = begun(store, VILLA)
    store.set_model(run, MODEL)
    aggregate(store, Counted(run, VILLA, MARCH, MODEL, TAXONOMY), {})
    values = VILLA.model_dump(mode="json", exclude_unset=True)
    values["base_url"] = "https://example.pe"
    folder.mkdir(exist_ok=True)
    (folder / "villa.yml").write_text(yaml.safe_dump(values, allow_unicode=True), "utf-8")
    receiving = Receiving(KEY, lambda town: Pseudonymiser(town.code, b"only the tests use this"))
    return Panel(store, TestClient(create_app(store.engine, folder, receiving=receiving)))
