"""Should a hostile file come to a kept child: its facts are those that a fresh child finds, and none stay."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest
from table import CHANGES_THE_WORLD, EXPECTED
from test_attacks import attack

from signer.seal import reading

if TYPE_CHECKING:
    from genuine import Genuine

LONG = {"tokens_without_end", "walks_in_circles"}
"""These are ended by the clock, in which no two runs are alike."""
SEED = 20261130


@pytest.mark.soak
def test_a_used_child_finds_what_a_fresh_one_finds_in_any_order(genuine: Genuine) -> None:
    names = [name for name in EXPECTED if name not in CHANGES_THE_WORLD | LONG]
    random.Random(SEED).shuffle(names)
    at = genuine.world.at
    expected = reading.facts_of(genuine.pdf, genuine.trust, at)
    for name in names:
        hostile = next(iter(attack(name)(genuine)))
        assert reading.facts_of(genuine.pdf, genuine.trust, at, is_known=True) == expected, f"before {name}"
        used = reading.facts_of(hostile, genuine.trust, at, is_known=True)
        assert used == reading.facts_of(hostile, genuine.trust, at), name
    assert reading.facts_of(genuine.pdf, genuine.trust, at, is_known=True) == expected


def test_only_files_on_record_go_to_a_kept_child(genuine: Genuine, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bool] = []
    run = reading.sandbox.run

    def spy(*given: object, **more: object) -> bytes:
        asked.append(more["is_clean"] is not None)
        return run(*given, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(reading.sandbox, "run", spy)
    genuine.world.verify(genuine.pdf)
    genuine.world.verify(genuine.pdf + b"\n")
    for name in ("contents_padding", "info_changed", "dss_appended", "key_used_outside"):
        genuine.world.verify(next(iter(attack(name)(genuine))))
    assert asked[0] is True
    assert not any(asked[1:])
