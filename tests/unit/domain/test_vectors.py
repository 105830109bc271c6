"""The frozen formats still give the published bytes, and still refuse what they refused."""

from __future__ import annotations

import base64
import importlib.util
import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from signer.domain import content, rules
from signer.domain.drafting import parse_draft
from signer.domain.number import Number
from signer.domain.parties import normalise_uscc, uscc_fault
from signer.domain.vehicle import Window, normalise_vin, vin_fault

ROOT = Path(__file__).parents[3]
VECTORS = ROOT / "tests" / "vectors"
ACCEPTED = sorted((VECTORS / "content").glob("accepted-*.json"))


def read(path: str) -> Any:
    return json.loads((VECTORS / path).read_text(encoding="utf-8"))


def script(path: Path) -> Any:
    spec = importlib.util.spec_from_file_location(f"vector_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


MAKE_CONTENT = script(VECTORS / "make_content.py")
REFUSED = read("content/refused.json")


@pytest.mark.parametrize("path", ACCEPTED, ids=lambda path: path.stem)
def test_a_published_draft_gives_the_published_bytes(path: Path) -> None:
    vector = read(f"content/{path.name}")
    given = MAKE_CONTENT.circumstances(vector["circumstances"], vector["draft"])
    terms = rules.to_terms(parse_draft(json.dumps(vector["draft"]).encode()), given)
    assert content.encode_terms(terms).decode() == vector["terms"]
    assert content.terms_digest(terms).hex() == vector["terms_digest"]
    confirmation = content.build(
        terms=terms,
        approved_digest=bytes.fromhex(vector["terms_digest"]),
        number=Number(vector["number"]),
        issued_at=given.at,
    )
    encoded = content.encode(confirmation)
    assert encoded.decode() == vector["content"]
    assert content.content_digest(encoded).hex() == vector["content_digest"]


@pytest.mark.parametrize("path", ACCEPTED, ids=lambda path: path.stem)
def test_published_content_parses_and_encodes_to_itself(path: Path) -> None:
    encoded = read(f"content/{path.name}")["content"].encode()
    assert content.encode(content.parse(encoded)) == encoded


def test_the_base_of_the_refusals_is_accepted() -> None:
    assert content.parse(REFUSED["base"].encode()).terms.vins


@pytest.mark.parametrize("case", REFUSED["refused"], ids=lambda case: case["name"])
def test_published_refusals_are_refused_for_the_published_reason(case: dict[str, str]) -> None:
    encoded = case["content"].encode() if "content" in case else base64.b64decode(case["content_base64"])
    assert encoded != REFUSED["base"].encode()
    with pytest.raises(content.ContentRefused) as refusal:
        content.parse(encoded)
    assert refusal.value.reason == case["reason"]


@pytest.mark.parametrize("name", ["make_content", "make_identifiers"])
def test_making_the_vectors_again_changes_nothing(name: str) -> None:
    for path, text in script(VECTORS / f"{name}.py").pages().items():
        assert (VECTORS / path).read_text(encoding="utf-8") == text, path


def test_the_reference_pages_are_what_the_code_says() -> None:
    for name, text in script(ROOT / "docs" / "make_reference.py").pages().items():
        assert (ROOT / "docs" / "reference" / name).read_text(encoding="utf-8") == text, (
            f"run docs/make_reference.py: {name}"
        )


def test_numbers_are_read_as_published() -> None:
    vectors = read("number.json")
    for valid in vectors["valid"]:
        assert {Number.parse(typed) for typed in valid["typed"]} == {valid["number"]}
    for refused in vectors["refused"]:
        with pytest.raises(ValueError, match=f"^{refused['fault']}$"):
            Number.parse(refused["typed"])


def test_vins_and_codes_are_read_as_published() -> None:
    for vector in read("vin.json"):
        assert normalise_vin(vector["typed"]) == vector["stored"]
        assert vin_fault(vector["stored"]) == vector["fault"]
    for vector in read("uscc.json"):
        assert normalise_uscc(vector["typed"]) == vector["stored"]
        assert uscc_fault(vector["stored"]) == vector["fault"]


def test_windows_are_as_published() -> None:
    for vector in read("window.json"):
        window = Window(date.fromisoformat(vector["registered_on"]))
        assert f"{window.through}" == vector["through"]
        assert f"{window.free_from}" == vector["free_from"]
        for applied in vector["applied"]:
            day = date.fromisoformat(applied["on"])
            assert (window.days(day), window.state(day)) == (applied["n"], applied["state"])
            assert window.is_near_edge(day) is applied["edge"]
