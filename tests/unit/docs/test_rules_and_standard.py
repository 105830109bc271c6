"""The pages on acceptance rules and on EN 319 102-1, held against the code and the tests that they name."""

from __future__ import annotations

import ast
import importlib
import re
from functools import cache
from pathlib import Path
from typing import get_args

import pytest

from signer.domain.evidence import Doubt, Failure
from signer.domain.verdict import Code
from signer.seal.findings import Id
from signer.verification import wording

ROOT = Path(__file__).parents[3]
REFERENCE = ROOT / "docs" / "reference"
RULES = (REFERENCE / "acceptance-rules.md").read_text(encoding="utf-8")
_TABLES = RULES.partition("## What enforces each sentence")[2].partition("## Planned")[0]
_TEST = re.compile(r"`([a-z0-9_/]+\.py)::(test_[a-z0-9_]+)`")
_FUNCTION = re.compile(r"`([a-z_.]+):([A-Za-z_.]+)`")
_ATTACK = re.compile(r"attacks ((?:`[a-z_*]+`(?:, )?)+)")


@cache
def _tests_of(name: str) -> frozenset[str]:
    tree = ast.parse((ROOT / "tests" / name).read_text(encoding="utf-8"))
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


def _rows() -> list[list[str]]:
    rows = [line.strip("|").split(" | ") for line in _TABLES.splitlines() if line.startswith("| ")]
    return [row for row in rows if not re.match(r" ?rules? ", row[0])]


def test_every_test_that_the_rules_name_is_there() -> None:
    named = _TEST.findall(_TABLES)
    assert len(named) > 50
    assert [pair for pair in named if pair[1] not in _tests_of(pair[0])] == []


def test_every_function_that_the_rules_name_is_there() -> None:
    named = _FUNCTION.findall(_TABLES)
    assert len(named) > 40
    for module, path in named:
        found: object = importlib.import_module(f"signer.{module}")
        for part in path.split("."):
            found = getattr(found, part)


def test_every_attack_that_the_rules_name_is_there() -> None:
    named = [one for group in _ATTACK.findall(_TABLES) for one in re.findall(r"[a-z_*]+", group)]
    assert named
    assert [one for one in named if not list((ROOT / "tests" / "attacks" / "made").glob(f"{one}.py"))] == []


def test_every_rule_has_sentences_and_every_sentence_a_function_and_a_test() -> None:
    told = re.findall(r"^\| rules? ([0-9 and]+?) \|", _TABLES, re.MULTILINE)
    assert [int(number) for one in told for number in re.findall("[0-9]", one)] == list(range(1, 10))
    bare = [row[0] for row in _rows() if len(row) != 3 or not (_TEST.search(row[2]) or _ATTACK.search(row[2]))]
    assert not bare
    assert [row[0] for row in _rows() if not _FUNCTION.search(row[1]) and "all of them" not in row[1]] == []


# EN 319 102-1

STANDARD = (REFERENCE / "en-319-102-1.md").read_text(encoding="utf-8")
_WORDS_OF_THE_STANDARD = {
    *("FORMAT_FAILURE", "HASH_FAILURE", "SIG_CRYPTO_FAILURE", "REVOKED", "EXPIRED", "NOT_YET_VALID"),
    *("SIG_CONSTRAINTS_FAILURE", "CHAIN_CONSTRAINTS_FAILURE", "CERTIFICATE_CHAIN_GENERAL_FAILURE"),
    *("CRYPTO_CONSTRAINTS_FAILURE", "CRYPTO_CONSTRAINTS_FAILURE_NO_POE", "POLICY_PROCESSING_ERROR"),
    *("SIGNATURE_POLICY_NOT_AVAILABLE", "TIMESTAMP_ORDER_FAILURE", "NO_SIGNING_CERTIFICATE_FOUND"),
    *("NO_CERTIFICATE_CHAIN_FOUND", "REVOKED_NO_POE", "REVOKED_CA_NO_POE", "OUT_OF_BOUNDS_NOT_REVOKED"),
    *("OUT_OF_BOUNDS_NO_POE", "REVOCATION_OUT_OF_BOUNDS_NO_POE", "NO_POE", "TRY_LATER", "SIGNED_DATA_NOT_FOUND"),
}
"""EN 319 102-1 V1.3.1, 5.1.3."""
_OTHER_MEANING = {"TRY_LATER": "signer/verification/checks.py"}
"""A word of the standard that is a reason of ours as well, and where."""
GIVEN = {*get_args(Failure), *get_args(Doubt)}


def _column(section: str, place: int = 0) -> list[str]:
    text = STANDARD.partition(f"## {section}\n")[2].partition("\n## ")[0]
    rows = [line.strip("|").split(" | ") for line in text.splitlines() if line.startswith("| `")]
    return [row[place].strip() for row in rows]


def _words(cells: list[str]) -> list[str]:
    return [word for cell in cells for word in re.findall(r"`([A-Z_]+)`", cell)]


def test_the_page_has_every_check_and_no_other() -> None:
    listed = [cell.strip("`") for cell in _column("Checks")]
    assert sorted(listed) == sorted({*(one.value for one in Id), *wording.QUESTIONS})
    blocks = re.findall(r"`([a-z-]+)`", STANDARD.partition("## Building blocks")[2].partition("\n## ")[0])
    assert set(blocks) - {"signer"} <= set(listed)
    assert {one.value for one in Id} <= {*blocks}


def test_the_page_has_every_code_and_no_other() -> None:
    assert _words(_column("Codes")) == [code.value for code in Code]
    told = {
        *_words(_column("Checks", 3)),
        *_words(_column("Checks", 4)),
        *_words(_column("Sub-indications that we give", 3)),
    }
    assert told <= {code.value for code in Code}


def test_the_page_has_every_sub_indication_that_we_give_and_says_why_we_do_not_give_the_others() -> None:
    given, withheld = (
        _words(_column("Sub-indications that we give")),
        _words(_column("Sub-indications that we do not give")),
    )
    assert sorted(given) == sorted(GIVEN)
    assert sorted([*given, *withheld]) == sorted(_WORDS_OF_THE_STANDARD)
    indications = dict(zip(given, _column("Sub-indications that we give", 1), strict=True))
    assert {word for word, indication in indications.items() if indication == "TOTAL-FAILED"} == {*get_args(Failure)}
    assert set(_words(_column("Checks", 2))) <= GIVEN


def test_no_word_of_the_standard_occurs_in_the_code_that_is_not_on_the_page() -> None:
    found: dict[str, set[str]] = {}
    for path in [*(ROOT / "signer" / "seal").rglob("*.py"), *(ROOT / "signer" / "verification").glob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and node.value in _WORDS_OF_THE_STANDARD:
                found.setdefault(str(node.value), set()).add(str(path.relative_to(ROOT)))
    assert set(found) <= GIVEN
    assert set(found) >= GIVEN, "on the page, and never said"
    assert _OTHER_MEANING["TRY_LATER"] in found["TRY_LATER"]


@pytest.mark.parametrize("where", _FUNCTION.findall(STANDARD), ids=":".join)
def test_every_function_that_the_page_names_is_there(where: tuple[str, str]) -> None:
    found: object = importlib.import_module(f"signer.{where[0]}")
    for part in where[1].split("."):
        found = getattr(found, part)
