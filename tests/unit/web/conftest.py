"""The web application over a working service in memory's reach: two confirmations are issued, once for all tests."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
import world as worlds
from apps import create_app

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from flask import Flask
    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

VINS = ("L0YSA3B29T0000101", "L0YSA3B20T0000102", "L0YSA3B22T0000103")
TIANSHAN = worlds.TIANSHAN


@dataclass
class House:
    """A service, its application, a client, and what was issued: `kz` for three cars, `ae` by another maker."""

    world: worlds.World
    app: Flask
    client: FlaskClient
    kz: bytes
    kz_number: str
    ae: bytes
    ae_number: str

    def verify(self, pdf: bytes, *, headers: dict[str, str] | None = None, **fields: Any) -> TestResponse:
        """Hand a file to the API as a browser's form does."""
        data = {"file": (io.BytesIO(pdf), "a.pdf"), **fields}
        return self.client.post("/api/v1/verify", data=data, headers=headers, content_type="multipart/form-data")

    def ask(self, *files: tuple[str, bytes], lang: str = "en", **fields: str) -> TestResponse:
        """Fill in the form and send it."""
        data = {"files": [(io.BytesIO(pdf), name) for name, pdf in files], "lang": lang, **fields}
        return self.client.post("/verify", data=data, content_type="multipart/form-data")


@pytest.fixture(scope="session")
def house(template_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """One house for all tests that change nothing in it."""
    world = worlds.World(worlds.copy(template_folder, tmp_path_factory.mktemp("house") / "data"))
    kz, ae = world.issue(worlds.sample(worlds.KAZAKHSTAN)), world.issue(worlds.sample(worlds.EMIRATES))
    app = create_app(world.services, clock=lambda: world.at)
    yield House(world, app, app.test_client(), kz.pdf, kz.number, ae.pdf, ae.number)
    world.services.database.close()
