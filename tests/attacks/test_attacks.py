"""Every attack of the table gets its answer: never green, never an exception, and always a way on."""

from __future__ import annotations

import importlib.util
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from genuine import VINS
from table import EXPECTED, REASONS
from two_paths import Score
from world import AT, HAIYI, TIANSHAN

from signer.domain.verdict import Code, Outcome
from signer.verification import wording

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from genuine import Genuine

MADE = Path(__file__).parent / "made"
MOST_SECONDS = 6.0
"""The child has less than five; a machine that runs other tests beside takes its time for the rest."""
SHOWS_ITS_CONTENT = {Code.NOT_COVERED}


def attack(name: str) -> Callable[[Genuine], Iterator[bytes]]:
    spec = importlib.util.spec_from_file_location(f"attack_{name}", MADE / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    make: Callable[[Genuine], Iterator[bytes]] = module.make
    return make


def test_the_table_names_every_attack() -> None:
    assert {path.stem for path in MADE.glob("*.py")} == set(EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
def test_an_attack_is_answered(genuine: Genuine, name: str) -> None:
    found = set()
    for place, pdf in enumerate(attack(name)(genuine)):
        assert pdf != genuine.pdf, f"file {place} is the genuine one"
        Score().compare(pdf, genuine.trust, genuine.world.at, f"file {place} of {name}")
        begun = time.monotonic()
        verdict = genuine.world.verify(pdf)
        assert time.monotonic() - begun < MOST_SECONDS, f"file {place}"
        assert verdict.code in EXPECTED[name], f"file {place}: {verdict.code} {verdict.reason}"
        assert verdict.outcome in (Outcome.FAIL, Outcome.NONE)
        assert verdict.confirmation is None
        assert verdict.lines == ()
        assert verdict.reason == REASONS.get(name, verdict.reason)
        assert wording.sentence(verdict, "en")
        found.add(verdict.code)
    assert found == set(EXPECTED[name])
    assert genuine.world.verify(genuine.pdf, applied_on=AT.date()).outcome is Outcome.PASS


@pytest.mark.parametrize("name", ["homemade_with_a_real_number", "printed_and_scanned"])
def test_what_was_asked_is_compared_and_the_records_own_is_not_shown(genuine: Genuine, name: str) -> None:
    (*_, pdf) = attack(name)(genuine)
    verdict = genuine.world.verify(pdf, vins=(VINS[0], "1M8GDM9AXKP042788"), destination="KZ", exporter=HAIYI)
    assert (verdict.code, verdict.number) == (Code.UNSEALED, genuine.number)
    assert [line.state for line in verdict.coverage.vins] == ["matched", "missing"]
    assert (verdict.coverage.destination, verdict.coverage.exporter) == ("equal", "different")
    assert (verdict.coverage.extra, verdict.confirmation, verdict.issuer) == ((), None, None)
    told = verdict.model_dump_json()
    assert not any(vin in told for vin in VINS[1:])
    assert "check the record" in wording.sentence(verdict, "en")


@pytest.mark.parametrize(
    "asked",
    [
        {"vins": ("1M8GDM9AXKP042788",)},
        {"vins": (VINS[0], "1M8GDM9AXKP042788")},
        {"exporter": HAIYI},
        {"destination": "RU"},
        {"vins": VINS, "destination": "KZ", "exporter": HAIYI},
    ],
)
def test_a_genuine_file_replayed_for_something_else_is_not_covered(genuine: Genuine, asked: dict[str, Any]) -> None:
    verdict = genuine.world.verify(genuine.pdf, **asked)
    assert (verdict.code, verdict.outcome) == (Code.NOT_COVERED, Outcome.FAIL)
    right = genuine.world.verify(genuine.pdf, vins=VINS, destination="KZ", exporter=TIANSHAN)
    assert right.code is Code.VALID
