"""Logs are JSON, obey their level, and hold nothing that must not be read."""

from __future__ import annotations

import json

import pytest
import structlog
from world import KAZAKHSTAN, World, sample

from signer import logs


@pytest.fixture(autouse=True)
def _restored() -> object:
    yield
    structlog.reset_defaults()


def test_an_event_is_one_json_object_without_secrets(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("info")
    structlog.get_logger().info("sealed", number="X", password="geheim", vins=["L0YSA3B20T0000101"])
    event = json.loads(capsys.readouterr().err)
    assert (event["event"], event["number"], event["level"]) == ("sealed", "X", "info")
    assert (event["password"], event["vins"]) == ("[redacted]", "[redacted]")


def test_the_level_is_obeyed(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("warning")
    structlog.get_logger().info("quiet")
    assert capsys.readouterr().err == ""


def test_issuing_and_verifying_log_numbers_and_codes_and_no_vin(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.configure("info")
    issued = world.issue(sample(KAZAKHSTAN))
    world.verify(issued.pdf)
    written = capsys.readouterr().err
    events = {event["event"]: event for event in map(json.loads, written.splitlines())}
    assert events["confirmation.issued"]["number"] == issued.number
    assert events["file.verified"]["code"] == "VALID"
    assert not [vehicle["vin"] for vehicle in sample(KAZAKHSTAN)["vehicles"] if vehicle["vin"] in written]
