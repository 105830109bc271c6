"""Settings as people may see them: an address loses its password and whatever stands behind its question mark."""

from __future__ import annotations

import pytest

from signer import settings


@pytest.mark.parametrize(
    ("typed", "seen"),
    [
        ("postgresql://signer:p%40ss@db.example/signer", "postgresql://signer:***@db.example/signer"),
        ("postgresql://db.example/signer?password=x&sslmode=require", "postgresql://db.example/signer?***"),
        ("postgresql://a:b:c@d@db.example/signer", "postgresql://a:***@db.example/signer"),
        ("postgresql://db.example/signer", "postgresql://db.example/signer"),
        ("sqlite:///x.sqlite3", "sqlite:///x.sqlite3"),
    ],
)
def test_an_address_is_shown_without_its_password(typed: str, seen: str) -> None:
    found = dict(settings.shown(settings.load({"SIGNER_DATABASE_URL": typed})))
    assert found["SIGNER_DATABASE_URL"] == seen


def test_every_setting_is_shown_once() -> None:
    names = [name for name, _ in settings.shown(settings.load({}))]
    assert names == [settings.PREFIX + name.upper() for name in settings.Settings.model_fields]
