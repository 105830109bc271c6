"""The published vectors of the log: read, opened, proven and refused as they say."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema_rs
import pytest
import subtrees

from signer.domain import log_leaf
from signer.domain.log_leaf import Leaf, Opening, ProofRefused
from signer.transparency import merkle, notes, proofs
from signer.transparency.merkle import ProofInvalid
from signer.transparency.notes import NoteRefused

if TYPE_CHECKING:
    from types import ModuleType

ROOT = Path(__file__).parents[3]
WHOLE: Any = json.loads((ROOT / "tests/vectors/log_proof.json").read_text(encoding="utf-8"))
KEYS = tuple(map(notes.parse_key, WHOLE["trusted"]))
REFUSALS = {"malformed": ProofRefused, "checkpoint": NoteRefused, "proof": ProofInvalid}


def _maker() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_log_proof", ROOT / "tests/vectors/make_log_proof.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("case", WHOLE["cases"], ids=[case["name"] for case in WHOLE["cases"]])
def test_a_proof_is_answered_as_the_vector_says(case: dict[str, str]) -> None:
    if case["state"] == "proven":
        data = case["proof"].encode()
        assert proofs.verify(log_leaf.parse_proof(data), KEYS).signed.by == KEYS[0]
        assert log_leaf.encode_proof(log_leaf.parse_proof(data)) == data
        return
    with pytest.raises(REFUSALS[case["why"]]):
        proofs.verify(log_leaf.parse_proof(case["proof"].encode()), KEYS)


def test_leaves_tags_roots_and_consistency_are_those_of_the_vectors() -> None:
    said = WHOLE["tags"]
    key = log_leaf.maker_key(bytes.fromhex(said["issuer_secret"]), said["uscc"])
    assert key.hex() == said["manufacturer_key"]
    assert all(log_leaf.tag(key, each["running"]).hex() == each["tag"] for each in said["tags"])
    hashes = []
    for each in WHOLE["leaves"]:
        leaf = Leaf.parse(bytes.fromhex(each["leaf"]))
        opening = Opening.model_validate_json(json.dumps(each["opening"]))
        assert opening.plain.leaf(tag=bytes.fromhex(each["tag"]), at=leaf.at) == leaf
        hashes.append(merkle.leaf_hash(leaf.encode()))
        assert hashes[-1].hex() == each["leaf_hash"]
    tree = subtrees.of(hashes)
    roots = [merkle.root(size, tree.__getitem__) for size in range(len(hashes) + 1)]
    assert [root.hex() for root in roots] == WHOLE["roots"]
    for each in WHOLE["consistency"]:
        old, new = each["old"], each["new"]
        assert [one.hex() for one in merkle.consistency(old, new, tree.__getitem__)] == each["path"]


def test_the_maker_still_makes_what_is_published() -> None:
    assert _maker().vectors() == WHOLE


def test_the_schema_takes_what_is_proven() -> None:
    schema = json.loads((ROOT / "docs/reference/log-proof.schema.json").read_text(encoding="utf-8"))
    validator = jsonschema_rs.Draft202012Validator(schema, validate_formats=True)
    assert all(validator.is_valid(json.loads(case["proof"])) for case in WHOLE["cases"] if case["state"] == "proven")
    assert not validator.is_valid({"schema": "signer.log-proof/1"})
