"""The published receipts are answered as published, and read alike by a library that is not ours."""

from __future__ import annotations

import base64
import importlib.util
import json
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc import jws as other
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from signer.domain import receipt as claimed
from signer.domain.trust import Purpose
from signer.seal import certificates, jws, receipt, service_key, trust
from signer.seal.receipt import REASONS

if TYPE_CHECKING:
    from types import ModuleType

VECTORS = Path(__file__).parents[2] / "vectors"
WHOLE: Any = json.loads((VECTORS / "receipt.json").read_text(encoding="utf-8"))
AT = datetime.fromisoformat(WHOLE["at"])
ROOT = trust.RootKey(base64.b64decode(WHOLE["pinned"]))
LISTS = {name: trust.load(data.encode(), root=ROOT, at=AT) for name, data in WHOLE["lists"].items()}
CASES = pytest.mark.parametrize("case", WHOLE["cases"], ids=lambda case: case["name"])
KEYS = {
    jws.kid_of(service_key.public_key(entry)): ECKey.import_key(certificates.load(entry.der).parsed.public_key())
    for entry in LISTS["list"].of(Purpose.RECEIPT)
}

SIGNED = (None, "NOT_ENTITLED", "KEY_REVOKED", "KEY_SUSPENDED", "TRUST_LIST_OLDER", "TRUST_LIST_EXPIRED")
"""Reasons for which a receipt is doubted although its signature is good; None: it is not doubted."""


def _script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_receipt", VECTORS / "make_receipt.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_making_the_vectors_again_changes_nothing() -> None:
    for name, text in _script().pages().items():
        assert (VECTORS / name).read_text(encoding="utf-8") == text


@CASES
def test_a_receipt_is_answered_as_published(case: dict[str, Any]) -> None:
    found = receipt.examine(case["receipt"].encode(), LISTS[case["list"]], at=AT)
    assert (found.state, found.reason) == (case["state"], case.get("reason"))
    assert (found.claims is None) is (
        case["state"] == "not-genuine" or found.reason in ("KEY_NOT_LISTED", "CLAIMS_UNKNOWN")
    )


@settings(max_examples=150, deadline=None)
@given(which=st.integers(0, 2), place=st.integers(0, 10_000), flip=st.integers(1, 255))
def test_a_receipt_with_any_byte_changed_is_never_genuine(which: int, place: int, flip: int) -> None:
    token = WHOLE["cases"][which]["receipt"].encode()
    altered = bytearray(token)
    altered[place % len(token)] ^= flip
    if bytes(altered).strip() != token:
        assert receipt.examine(bytes(altered), LISTS["list"], at=AT).state != "genuine"


@settings(max_examples=150, deadline=None)
@given(data=st.binary(max_size=300) | st.text("eyJ.-_A0", max_size=300).map(str.encode))
def test_whatever_somebody_brings_has_an_answer(data: bytes) -> None:
    assert receipt.examine(data, LISTS["list"], at=AT).state == "not-genuine"


def test_every_reason_has_a_case_and_every_case_is_of_this_list() -> None:
    assert {case["reason"] for case in WHOLE["cases"] if "reason" in case} == set(REASONS)


@pytest.mark.parametrize(
    "case", [case for case in WHOLE["cases"] if case.get("reason") in SIGNED], ids=lambda case: case["name"]
)
def test_another_implementation_finds_the_same_signature_and_the_same_claims(case: dict[str, Any]) -> None:
    text = case["receipt"].strip()
    read = other.deserialize_compact(text, KEYS[jws.unverified_kid(text.encode(), field="")], algorithms=["ES256"])
    assert read.protected["typ"] == receipt.TYPE
    assert claimed.parse(read.payload).iat == json.loads(read.payload)["iat"]


@pytest.mark.parametrize(
    "name",
    [
        "another answer under the same signature",
        "another key under its name",
        "a public key as a secret",
        "a header with alg none",
        "a header with alg ES384",
        "a header with crit ['b64']",
        "two parts",
        "nothing",
    ],
)
def test_another_implementation_refuses_it_too(name: str) -> None:
    for case in (case for case in WHOLE["cases"] if case["name"] == name):
        for key in KEYS.values():
            with pytest.raises((JoseError, ValueError)):
                other.deserialize_compact(case["receipt"], key, algorithms=["ES256"])
