"""The published vectors again, in a child that has answered for other files: it finds what a fresh one finds."""

from __future__ import annotations

import importlib.util
import random
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from signer.sandbox import Limits, keeper
from signer.seal import precheck, reading

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from types import ModuleType

    from signer.domain.evidence import SealFacts
    from signer.domain.trust import TrustList

VECTORS = Path(__file__).parents[1] / "vectors"
GENUINE = (VECTORS / "verify" / "three-cars.pdf").read_bytes()
SEED = 20261130
PATIENT = Limits(wall_s=20)
"""What is asked here is whether, not how fast."""


def script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, VECTORS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


runner, entrance = script("run_verify"), script("verify_with_signer")
WHOLE: Any = runner.load()


def questions() -> Iterator[tuple[Any, bytes]]:
    """Give one case for every file, list and time about which a child is asked, in an order that nobody chose."""
    seen, cases = set(), list(WHOLE["cases"])
    random.Random(SEED).shuffle(cases)
    for case in cases:
        file, lists = runner.file_of(case), tuple(line["list"] for line in case["bundle"] if isinstance(line, dict))
        refused = precheck.refusal(file)
        if (refused is None or not refused.is_final) and (asked := (file, lists, case["at"])) not in seen:
            seen.add(asked)
            yield case, file


@pytest.mark.parametrize("every", [4, pytest.param(1, marks=pytest.mark.soak)])
def test_a_used_child_finds_in_vectors_what_a_fresh_one_finds(every: int, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[int] = []
    known_cell = keeper.known_cell

    def watched(*asked: Any) -> keeper.Cell:
        cell = known_cell(*asked)
        given.append(cell.files)
        return cell

    monkeypatch.setattr(keeper, "known_cell", watched)
    compared: list[int] = []

    def judge(data: bytes, trust: TrustList, at: datetime, *, is_known: bool = False) -> SealFacts:
        del is_known
        fresh = reading.facts_of(data, trust, at, limits=PATIENT)
        reading.facts_of(GENUINE, trust, at, is_known=True, limits=PATIENT)
        used = reading.facts_of(data, trust, at, is_known=True, limits=PATIENT)
        assert used == fresh
        compared.append(given[-1])
        return used

    root = runner.root_of(WHOLE).encode()
    for case, file in list(questions())[::every]:
        asked = {"at": case["at"], "mode": case["mode"], **case["question"]}
        told = entrance.answer(file, asked, bundle=runner.bundle_of(case, WHOLE), root=root, judge=judge)
        assert runner.differing(case["expected"], told) == [], case["name"]
    assert len(compared) > 50 / every
    assert sum(files > 0 for files in compared) > 40 / every, "most were judged in a child that had answered before"
    assert max(compared) > 3 / every
