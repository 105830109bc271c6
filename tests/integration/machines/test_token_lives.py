"""How long a token lives: no longer than its person's word, and no longer than that person is trusted."""

from __future__ import annotations

import io
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from machine import Machine
from world import BEICHEN, PEOPLE, YUNZHOU, as_bytes

from signer.domain.machines import LONGEST, Right
from signer.errors import NotAuthenticated

if TYPE_CHECKING:
    from collections.abc import Callable

    from machine import Machines
    from werkzeug.test import TestResponse
    from world import World

CHEN, LIN = PEOPLE[YUNZHOU][0], PEOPLE[YUNZHOU][1]


def renewed(token: Machine, *, days: int = 90, key: str = "") -> Machine:
    answer = token.post("/tokens", {"days": days}, key=key)
    assert answer.status_code == 201, answer.text
    return Machine(token.app, answer.json["token"], answer.json["ref"])


def code(answer: TestResponse) -> str:
    return str(answer.json["type"].rsplit("/", 1)[1])


def test_a_token_that_renews_itself_ends_for_all_that(machines: Machines, world: World) -> None:
    """Who stole one keeps it 400 days at most, however often it is renewed: then its person shows a factor."""
    begun, token, times = world.at, machines.of_maker(CHEN, YUNZHOU, days=90), 0
    while token.get("/tokens").status_code == 200 and times < 12:
        world.at += timedelta(days=80)
        times += 1
        if world.at < begun + LONGEST:
            token = renewed(token)
    assert world.at - begun == LONGEST
    assert world.rows("SELECT max(ends_at) FROM tokens")[0][0] <= (begun + LONGEST).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def test_renewals_ask_no_more_often_together_than_one_token(machines: Machines, world: World) -> None:
    first = machines.of_maker(CHEN, YUNZHOU)
    second = renewed(first)
    tokens = world.services.tokens
    while tokens.ration(tokens.caller(first.secret)).left > 0:
        pass
    assert code(second.get("/tokens")) == "too-many-requests"


def test_who_revokes_at_the_portal_ends_what_came_of_the_token_too(machines: Machines, world: World) -> None:
    stolen = machines.of_maker(CHEN, YUNZHOU)
    other, thiefs = machines.of_maker(CHEN, YUNZHOU), renewed(renewed(stolen))
    world.services.tokens.revoke(stolen.ref, by=CHEN)
    assert [one.get("/tokens").status_code for one in (stolen, thiefs, other)] == [401, 401, 200]


def test_a_machine_that_gives_up_the_old_one_keeps_the_new_one(machines: Machines) -> None:
    old = machines.of_maker(CHEN, YUNZHOU)
    new = renewed(old)
    assert new.ask("DELETE", f"/tokens/{old.ref}").status_code == 204
    assert [one.get("/tokens").status_code for one in (old, new)] == [401, 200]


def test_what_was_revoked_while_its_renewal_was_on_the_way_is_not_renewed(machines: Machines, world: World) -> None:
    """A body may take two minutes: the token was good when it began."""
    tokens, stolen = world.services.tokens, machines.of_maker(CHEN, YUNZHOU)
    caller = tokens.caller(stolen.secret)
    tokens.revoke(stolen.ref, by=CHEN)
    with pytest.raises(NotAuthenticated):
        tokens.renew(caller, lasts=timedelta(days=90))
    assert world.rows("SELECT count(*) FROM tokens") == [(1,)]


class Meanwhile(io.BytesIO):
    """A body during which something happens."""

    def __init__(self, data: bytes, then: Callable[[], object]) -> None:
        super().__init__(data)
        self.then = then

    def readinto(self, into: Any) -> int:
        self.then()
        return super().readinto(into)


def test_what_is_revoked_while_the_body_is_on_its_way_does_nothing_any_more(machines: Machines, world: World) -> None:
    """A body may take two minutes, and the token was good when it began."""
    stolen = machines.of_maker(CHEN, YUNZHOU)
    kept = stolen.post("/drafts", {"title": "kept", "draft": {}})
    path, entry = f"/drafts/{kept.json['ref']}", b'{"title": "stolen", "draft": {}}'

    def body() -> dict[str, Any]:
        stream = Meanwhile(entry, lambda: world.services.tokens.revoke(stolen.ref, by=CHEN))
        return {"input_stream": stream, "content_length": len(entry), "content_type": "application/json"}

    changed = stolen.ask("PUT", path, headers={"If-Match": "*"}, **body())
    assert (changed.status_code, stolen.ask("POST", "/drafts", **body()).status_code) == (401, 401)
    assert world.rows("SELECT title FROM drafts") == [("kept",)]


def test_a_token_knows_and_ends_nothing_at_another_manufacturer(machines: Machines, world: World) -> None:
    """One person at two manufacturers: a token speaks for one of them."""
    ours = machines.of_maker(CHEN, YUNZHOU)
    membership = {"person": CHEN, "manufacturer": machines.maker(BEICHEN), "roles": ["preparer"]}
    world.services.people.load(as_bytes({"memberships": [membership]}), actor="test")
    theirs = machines.of_maker(CHEN, BEICHEN)
    assert [one["ref"] for one in ours.get("/tokens").json["items"]] == [ours.ref]
    assert ours.ask("DELETE", f"/tokens/{theirs.ref}").status_code == 404
    assert theirs.get("/tokens").status_code == 200


def test_an_administrators_token_ends_no_token_of_others(machines: Machines, world: World) -> None:
    other = machines.of_maker(LIN, YUNZHOU)
    world.give("admin", CHEN)
    assert machines.of_maker(CHEN, YUNZHOU).ask("DELETE", f"/tokens/{other.ref}").status_code == 404
    assert other.get("/tokens").status_code == 200


def test_two_people_who_renew_under_one_key_have_one_each(machines: Machines) -> None:
    """Keys such as `renew-2026-11` are chosen by calendars."""
    mine, other = (renewed(machines.of_maker(who, YUNZHOU), key="renew-2026-11") for who in (CHEN, LIN))
    assert (mine.ref != other.ref, mine.get("/tokens").status_code, other.get("/tokens").status_code) == (
        True,
        200,
        200,
    )


def test_factors_that_are_reset_and_suspended_accounts_take_the_tokens_along(machines: Machines, world: World) -> None:
    members, stolen = world.services.members, machines.of_maker(CHEN, YUNZHOU, Right.DRAFTS_READ)
    members.reset_by_operator(f"{CHEN}@example.com", approved_by="", actor="operator")
    assert stolen.get("/drafts").status_code == 401
    held = machines.of_maker(CHEN, YUNZHOU, Right.DRAFTS_READ)
    members.suspend(f"{CHEN}@example.com", lift=False, actor="operator")
    members.suspend(f"{CHEN}@example.com", lift=True, actor="operator")
    assert held.get("/drafts").status_code == 401
    assert world.rows("SELECT count(*) FROM audit WHERE event = 'token.revoked'") == [(2,)]
