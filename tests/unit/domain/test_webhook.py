"""The form of a webhook's message, and when it is tried again."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

from signer.domain.webhook import CHOICES, PAUSES, EventType, Message, event_id, pause_after, shown

AT = datetime(2026, 11, 22, 3, 0, 0, 7, tzinfo=UTC)
MESSAGE = Message(
    id=event_id(7, AT), kind=EventType.ISSUED, at=AT, manufacturer="91110000MA0YZ01XX1", data={"number": "K7Q2M"}
)


def test_a_message_names_its_kind_its_time_and_little_else() -> None:
    assert json.loads(MESSAGE.body) == {
        "type": "issued",
        "timestamp": "2026-11-22T03:00:00Z",
        "data": {"manufacturer": "91110000MA0YZ01XX1", "number": "K7Q2M"},
    }


def test_an_id_is_the_same_each_time_and_tells_no_count() -> None:
    assert MESSAGE.id.startswith("evt_")
    assert MESSAGE.id == event_id(7, AT) != event_id(8, AT)
    assert event_id(7, AT) != event_id(7, AT + timedelta(microseconds=1))


def test_every_secret_that_is_good_signs() -> None:
    one = MESSAGE.headers([b"a" * 32], at=AT)["webhook-signature"]
    both = MESSAGE.headers([b"b" * 32, b"a" * 32], at=AT)["webhook-signature"].split(" ")
    assert (len(both), both[1]) == (2, one)
    assert shown(b"a" * 32) == "whsec_YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWE="


def test_it_is_tried_ten_times_over_about_three_days() -> None:
    pauses = [pause_after(count, draw=100) for count in range(1, 11)]
    assert pauses == [*PAUSES, None]
    assert timedelta(days=3) < sum(PAUSES, timedelta()) < timedelta(days=3, hours=6)


def test_receivers_that_fell_together_are_not_met_together() -> None:
    for count, pause in enumerate(PAUSES, start=1):
        drawn = {pause_after(count, draw=draw) for draw in range(201)}
        assert (min(drawn), max(drawn), len(drawn)) == (pause * 0.9, pause * 1.1, 201)  # type: ignore[type-var]


def test_a_ping_is_no_kind_to_ask_for() -> None:
    assert {kind.value for kind in CHOICES} == {
        "request.created",
        "approval.requested",
        "approval.voided",
        "issued",
        "superseded",
        "withdrawn",
        "suspended",
        "resumed",
        "forgery.suspected",
        "seal.expiring",
    }
