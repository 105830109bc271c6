"""The published codes are read, refused and believed for ever as they are now."""

from __future__ import annotations

import base64
import importlib.util
import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from signer.domain.paper_code import PaperCodeRefused
from signer.paper import cose

VECTORS = Path(__file__).parents[2] / "vectors"
PUBLISHED = json.loads((VECTORS / "paper.json").read_text(encoding="utf-8"))


def named(cases: list[dict[str, Any]]) -> Any:
    return pytest.mark.parametrize("case", cases, ids=lambda case: case["name"])


def spki(name: str) -> bytes:
    return base64.b64decode(PUBLISHED["keys"][name]["spki"])


def test_making_the_vectors_again_changes_nothing() -> None:
    spec = importlib.util.spec_from_file_location("make_paper", VECTORS / "make_paper.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.build() == PUBLISHED


@named(PUBLISHED["accepted"])
def test_what_was_taken_is_taken(case: dict[str, Any]) -> None:
    code, told = cose.decode(case["text"]), case["claims"]
    assert cose.verify(code, spki(case["key"]))
    assert code.kid.hex() == PUBLISHED["keys"][case["key"]]["kid"]
    claims = code.claims
    assert claims.issued_at == datetime.fromtimestamp(told["iat"], tz=UTC)
    assert (claims.issuer, claims.number, claims.exporter) == (told["issuer"], told["number"], told["exporter"])
    assert (list(claims.vins), claims.destination) == (told["vins"], told["destination"])
    assert claims.content_digest.hex() == told["content_digest"]
    assert claims.status == (tuple(told["status"]) if "status" in told else None)
    assert claims.page == (tuple(told["page"]) if "page" in told else None)
    assert claims.until == (date(1970, 1, 1) + timedelta(days=told["until_day"]) if "until_day" in told else None)


@named(PUBLISHED["refused"])
def test_what_was_refused_is_refused(case: dict[str, Any]) -> None:
    with pytest.raises(PaperCodeRefused) as refused:
        cose.decode(case["text"])
    assert refused.value.reason == case["reason"]


@named(PUBLISHED["unbelieved"])
def test_what_can_be_read_is_not_therefore_believed(case: dict[str, Any]) -> None:
    code = cose.decode(case["text"])
    by_kid = {key["kid"]: name for name, key in PUBLISHED["keys"].items()}
    name = by_kid.get(code.kid.hex())
    why = "unknown-key" if name is None else "" if cose.verify(code, spki(name)) else "signature"
    if name is not None and not why and PUBLISHED["keys"][name]["uscc"] != code.claims.issuer:
        why = "issuer"
    assert why == case["why"]
