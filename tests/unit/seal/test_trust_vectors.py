"""The published trust lists are answered as published, by a deployment that starts with nothing but the pinned root."""

from __future__ import annotations

import base64
import importlib.util
import json
import os
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from signer import settings as configured
from signer.errors import SignerError
from signer.seal import trust
from signer.services.trust import TrustSource

if TYPE_CHECKING:
    from types import ModuleType

VECTORS = Path(__file__).parents[2] / "vectors"
WHOLE: Any = json.loads((VECTORS / "trust_list.json").read_text(encoding="utf-8"))
AT = datetime.fromisoformat(WHOLE["at"])


def _script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_trust_list", VECTORS / "make_trust_list.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_making_the_vectors_again_changes_nothing() -> None:
    for name, text in _script().pages().items():
        assert (VECTORS / name).read_text(encoding="utf-8") == text


def _pem(spki: str) -> bytes:
    body = "\n".join(spki[start : start + 64] for start in range(0, len(spki), 64))
    return f"-----BEGIN PUBLIC KEY-----\n{body}\n-----END PUBLIC KEY-----\n".encode()


@pytest.mark.parametrize("case", WHOLE["cases"], ids=lambda case: case["name"])
def test_a_list_is_answered_as_published(case: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "trust-root.pub.pem").write_bytes(_pem(WHOLE["pinned"]))
    told = {"SIGNER_DATA_DIR": str(tmp_path), "SIGNER_KEYS_DIR": str(tmp_path)}
    for turn, name in enumerate(case["given"]):
        source, path = TrustSource(configured.load(told)), tmp_path / "trust-list.jws"
        path.write_text(WHOLE["lists"][name] + "\n")
        os.utime(path, (turn, turn))
        if turn + 1 < len(case["given"]) or case["answer"] == "accepted":
            assert source.current(AT).test
            continue
        with pytest.raises(SignerError, match=case["reason"]) as caught:
            source.current(AT)
        assert caught.value.code == case["answer"]


def test_every_list_is_one_of_a_case_and_the_pinned_root_is_that_of_the_first() -> None:
    assert {name for case in WHOLE["cases"] for name in case["given"]} == set(WHOLE["lists"])
    root = trust.RootKey(base64.b64decode(WHOLE["pinned"]))
    assert trust.load(WHOLE["lists"]["first"].encode(), root=root, at=AT).sequence == 1
