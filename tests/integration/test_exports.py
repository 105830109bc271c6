"""Exports hold every entry of one manufacturer, nobody else's, and nothing that a spreadsheet would run."""

from __future__ import annotations

import csv
import io
import json
from datetime import timedelta

import pytest
from world import BEICHEN, EMIRATES, KAZAKHSTAN, YUNZHOU, World, sample

from signer.errors import NotFound
from signer.register import audit


def test_the_seal_register_has_every_use_and_only_the_maker_s_own(world: World) -> None:
    mine, theirs = world.issue(sample(KAZAKHSTAN)), world.issue(sample(EMIRATES))
    for maker, issued in ((YUNZHOU, mine), (BEICHEN, theirs)):
        text = world.services.exporting.text("seal-register", "jsonl", manufacturer=maker)
        (row,) = [json.loads(line) for line in text.splitlines()]
        assert (row["number"], row["origin"], row["used_at"]) == (issued.number, "test", "2026-11-22T03:00:00Z")


def test_the_audit_is_in_order_and_only_the_maker_s_own(world: World) -> None:
    issued = world.issue(sample(KAZAKHSTAN))
    world.at += timedelta(minutes=1)
    world.services.ending.suspend(issued.number, manufacturer=YUNZHOU, by="chen.sample")
    rows = list(csv.DictReader(io.StringIO(world.services.exporting.text("audit", "csv", manufacturer=YUNZHOU)[1:])))
    assert [row["event"] for row in rows][-2:] == ["confirmation.issued", "confirmation.suspended"]
    assert issued.number not in world.services.exporting.text("audit", "csv", manufacturer=BEICHEN)


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@x", "\t=1", "\r=1"])
def test_no_cell_is_a_formula(world: World, cell: str) -> None:
    with world.services.database.write() as tx:
        audit.note(tx, "x", actor=cell, subject="s", at=world.at, manufacturer_id=1)
    text = world.services.exporting.text("audit", "csv", manufacturer=YUNZHOU)
    assert text.startswith("\ufeff")
    *_, row = csv.DictReader(io.StringIO(text[1:], newline=""))
    assert row["actor"] == "'" + cell


def test_an_unknown_maker_has_no_export(world: World) -> None:
    with pytest.raises(NotFound):
        world.services.exporting.text("audit", "csv", manufacturer="nobody")
