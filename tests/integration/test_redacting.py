"""Contact data can be forgotten; what was sealed, approved and noted stays, and still verifies."""

from __future__ import annotations

import pytest
from world import KAZAKHSTAN, YUNZHOU, World, sample

from signer.domain.verdict import Code
from signer.errors import NotFound, RuleViolation


def test_a_redacted_person_stays_as_an_id_only_and_prepares_nothing_more(world: World) -> None:
    issued = world.issue(sample(KAZAKHSTAN))
    before = world.rows("SELECT content FROM confirmations")
    world.services.redacting.person("chen.sample", by="operator")
    assert world.rows("SELECT name FROM people WHERE id = 'chen.sample'") == [("[redacted]",)]
    assert world.rows("SELECT preparer_id FROM seal_uses") == [("chen.sample",)]
    assert world.rows("SELECT actor, subject FROM audit WHERE event = 'person.redacted'") == [
        ("operator", "chen.sample")
    ]
    assert world.rows("SELECT content FROM confirmations") == before
    assert world.verify(issued.pdf).code is Code.VALID
    with pytest.raises(RuleViolation):
        world.issue({**sample(KAZAKHSTAN), "supersedes": issued.number})


def test_a_redacted_outlet_loses_its_contact_but_not_on_a_sealed_paper(world: World) -> None:
    issued = world.issue(sample(KAZAKHSTAN))
    confirmation = world.verify(issued.pdf).confirmation
    assert confirmation is not None
    outlet = next(outlet for outlet in confirmation.terms.outlets if outlet.phone)
    world.services.redacting.outlet(YUNZHOU, outlet.id, by="operator")
    ((record,),) = world.rows(f"SELECT record FROM outlets WHERE id = '{outlet.id}' AND manufacturer_id = 1")
    assert outlet.phone not in record
    assert outlet.name in record
    assert world.verify(issued.pdf).confirmation == confirmation
    assert world.rows("SELECT subject FROM audit WHERE event = 'outlet.redacted'") == [(outlet.id,)]


def test_who_or_what_is_unknown_cannot_be_redacted(world: World) -> None:
    with pytest.raises(NotFound):
        world.services.redacting.person("nobody", by="operator")
    with pytest.raises(NotFound):
        world.services.redacting.outlet(YUNZHOU, "nowhere", by="operator")
