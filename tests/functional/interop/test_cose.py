"""Other people's programs verify the code on paper, and it verifies what they sign."""

from __future__ import annotations

import base64
import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from signer.domain import cbor, paper_code
from signer.domain.paper_code import PaperCodeRefused
from signer.paper import cose

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric import ec

ORACLES = Path(sys.prefix) / "oracles"
VECTORS = Path(__file__).parents[2] / "vectors"
PUBLISHED = json.loads((VECTORS / "paper.json").read_text(encoding="utf-8"))
READERS = ("pycose", "cwt")
TEXTS = [case["text"] for case in PUBLISHED["accepted"]]


@pytest.fixture(scope="module")
def key() -> ec.EllipticCurvePrivateKey:
    """The TEST key of the vectors."""
    spec = importlib.util.spec_from_file_location("make_paper", VECTORS / "make_paper.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    made: ec.EllipticCurvePrivateKey = module.A
    return made


@pytest.fixture(scope="module")
def messages() -> list[bytes]:
    """The published codes, as COSE messages."""
    return [paper_code.from_digits(paper_code.find(text)) for text in TEXTS]


def payload(message: bytes) -> bytes:
    parts = cbor.decode(message[1:])
    assert isinstance(parts, tuple)
    assert isinstance(parts[2], bytes)
    return parts[2]


@pytest.fixture(scope="module")
def answers(key: ec.EllipticCurvePrivateKey, messages: list[bytes]) -> dict[str, Any]:
    """What the two programs say, each asked once for all: they live in an environment of their own (ADR 0002)."""
    assert ORACLES.is_dir(), "deploy/setup.sh dev installs the packages of requirements/oracles.txt there"
    asked = {
        "scalar": str(key.private_numbers().private_value),
        "aad": cose.EXTERNAL_AAD.decode(),
        "kid": PUBLISHED["keys"]["A"]["kid"],
        "codes": [message.hex() for message in messages],
        "payloads": [payload(message).hex() for message in messages],
    }
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("cose_readers.py"))],
        input=json.dumps(asked),
        env={**os.environ, "PYTHONPATH": str(ORACLES)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("reader", READERS)
def test_another_program_verifies_our_codes_if_it_is_given_the_external_data(
    answers: dict[str, Any], messages: list[bytes], reader: str
) -> None:
    assert answers[reader]["with"] == [payload(message).hex() for message in messages]
    assert answers[reader]["without"] == [""] * len(messages)


@pytest.mark.parametrize("reader", READERS)
def test_what_another_program_signs_verifies_here_unless_it_wrote_the_other_spelling(
    answers: dict[str, Any], messages: list[bytes], reader: str
) -> None:
    outcomes = set()
    for made, message in zip(answers[reader]["made"], messages, strict=True):
        try:
            code = cose.decode("#" + paper_code.to_digits(bytes.fromhex(made)))
        except PaperCodeRefused as refused:
            outcomes.add(refused.reason)
            continue
        assert cose.verify(code, base64.b64decode(PUBLISHED["keys"]["A"]["spki"]))
        assert code.signed == cose.decode("#" + paper_code.to_digits(message)).signed
        outcomes.add("verifies")
    assert "verifies" in outcomes
    assert outcomes <= {"verifies", "high-s"}
