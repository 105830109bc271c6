"""The published status lists are answered as published, and read alike by a library that is not ours."""

from __future__ import annotations

import base64
import importlib.util
import json
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from joserfc import jws as other
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from signer.domain import status_list as plain
from signer.domain.trust import Purpose
from signer.errors import InvalidInput
from signer.seal import certificates, status_list, trust

if TYPE_CHECKING:
    from types import ModuleType

VECTORS = Path(__file__).parents[2] / "vectors"
WHOLE: Any = json.loads((VECTORS / "status_list.json").read_text(encoding="utf-8"))
AT = datetime.fromisoformat(WHOLE["at"])
ROOT = trust.RootKey(base64.b64decode(WHOLE["pinned"]))
LISTS = {name: trust.load(data.encode(), root=ROOT, at=AT) for name, data in WHOLE["lists"].items()}
TAKEN = [case for case in WHOLE["cases"] if "refused" not in case]


def _script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_status_list", VECTORS / "make_status_list.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_making_the_vectors_again_changes_nothing() -> None:
    for name, text in _script().pages().items():
        assert json.loads((VECTORS / name).read_text(encoding="utf-8")) == json.loads(text)


@pytest.mark.parametrize("case", WHOLE["cases"], ids=lambda case: case["name"])
def test_a_list_is_taken_or_refused_as_published(case: dict[str, Any]) -> None:
    listed = LISTS[case["list"]]
    if "refused" in case:
        with pytest.raises(InvalidInput, match=case["refused"]):
            status_list.believe(case["token"].encode(), listed)
        return
    found = status_list.believe(case["token"].encode(), listed)
    assert found.number == case["number"]
    assert [found.list.status(place) for place in range(len(found.list))] == case["statuses"]


@pytest.mark.parametrize("told", WHOLE["told"], ids=lambda told: told["name"])
def test_a_list_says_of_a_place_what_is_published(told: dict[str, Any]) -> None:
    found = status_list.believe(TAKEN[0]["token"].encode(), LISTS["list"]).list
    asked_at, code_at = (datetime.fromisoformat(told[name]) for name in ("asked_at", "code_at"))
    said = plain.status_of(found, told["index"], asked_at, code_at=code_at)
    assert (said.status, said.doubt) == (told["status"], told["doubt"])


@pytest.mark.parametrize("case", TAKEN, ids=lambda case: case["name"])
def test_another_library_finds_the_signatures_good(case: dict[str, Any]) -> None:
    keys = [
        ECKey.import_key(certificates.load(one.der).parsed.public_key()) for one in LISTS["list"].of(Purpose.STATUS)
    ]
    good = 0
    for key in keys:
        try:
            other.deserialize_compact(case["token"], key, algorithms=["ES256"])
        except JoseError:
            continue
        good += 1
    assert good == 1
