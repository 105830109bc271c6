"""Who is let in at the API, as whom, how often; and what every refusal looks like."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from portal import Portal
from world import BEICHEN, PEOPLE, YUNZHOU

from signer.domain.machines import HELD, Right, draw, is_token, rights_of
from signer.domain.parties import Role
from signer.errors import NotPermitted
from signer.services.tokens import A_MINUTE, Wish

if TYPE_CHECKING:
    from machine import Machine, Machines
    from world import World

CHEN, LIN = PEOPLE[YUNZHOU]


def forged(machines: Machines, erp: Machine) -> dict[str, str]:
    """Everything that is no token, as a header; the tokens among them were good once, or are elsewhere."""
    secret, world = erp.secret, machines.world
    revoked, over, left = (machines.of_maker(CHEN, YUNZHOU, Right.DRAFTS_READ) for _ in range(3))
    world.services.tokens.revoke(revoked.ref, by=CHEN)
    world.change("DROP TRIGGER tr_tokens_content")
    world.change(f"UPDATE tokens SET ends_at = '2026-01-01T00:00:00.000000Z' WHERE ref = '{over.ref}'")
    world.change(f"UPDATE tokens SET person_id = '{PEOPLE[BEICHEN][0]}' WHERE ref = '{left.ref}'")
    live = draw(is_test=False, bits=lambda count: count)
    return {
        "none": "",
        "no word": "Bearer",
        "another scheme": f"Basic {secret}",
        "token scheme": f"Token {secret}",
        "unknown": f"Bearer {draw(is_test=True, bits=lambda count: 7)}",
        "of production": f"Bearer {live}",
        "one character less": f"Bearer {secret[:-1]}",
        "one character other": f"Bearer {secret[:20]}{'A' if secret[20] != 'A' else 'B'}{secret[21:]}",
        "other check": f"Bearer {secret[:-1]}{'A' if secret[-1] != 'A' else 'B'}",
        "lower case": f"Bearer {secret.lower()}",
        "twice": f"Bearer {secret} {secret}",
        "a session's cookie": f"Bearer {'a' * 64}",
        "its reference": f"Bearer {erp.ref}",
        "its digest": f"Bearer {'0' * 64}",
        "full width": "Bearer ｓgnr_test_",
        "a JWT": "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.",
        "long": f"Bearer {'a' * 8000}",
        "revoked": f"Bearer {revoked.secret}",
        "over": f"Bearer {over.secret}",
        "of somebody without a role here": f"Bearer {left.secret}",
    }


def test_every_forged_token_is_refused_with_one_body(machines: Machines, erp: Machine) -> None:
    bodies = set()
    for name, header in forged(machines, erp).items():
        answer = erp.ask("GET", "/drafts", headers={"Authorization": header.encode().decode("latin-1")})
        assert answer.status_code == 401, name
        assert answer.headers["WWW-Authenticate"] == 'Bearer realm="signer"'
        assert answer.headers["Cache-Control"] == "no-store"
        bodies.add(re.sub(r'"instance":"[^"]+"', "", answer.text))
    assert len(bodies) == 1


def test_a_token_has_a_prefix_and_a_check_that_scanners_know(erp: Machine) -> None:
    assert re.fullmatch(r"sgnr_test_[0-9A-Za-z]{49}", erp.secret)
    assert is_token(erp.secret, is_test=True)
    assert not is_token(erp.secret, is_test=False)


def test_a_tokens_text_is_nowhere_in_the_register(machines: Machines, erp: Machine) -> None:
    rows = machines.world.rows("SELECT * FROM tokens") + machines.world.rows("SELECT * FROM audit")
    assert erp.secret not in str(rows)
    assert erp.secret[10:30] not in str(rows)


def test_the_session_of_a_browser_opens_nothing_at_the_api(world: World) -> None:
    chen = Portal.of(world).visitor(CHEN)
    assert chen.get("/portal", follow_redirects=True).status_code == 200
    assert chen.get("/api/v1/drafts").status_code == 401


def test_whoever_loses_a_role_loses_what_the_token_could_do_at_once(machines: Machines, world: World) -> None:
    token = machines.of_maker(CHEN, YUNZHOU, Right.DRAFTS_READ, Right.DRAFTS_WRITE)
    assert token.get("/drafts").status_code == 200
    world.change(f"UPDATE memberships SET role = 'auditor' WHERE person_id = '{CHEN}'")
    assert token.get("/drafts").status_code == 200
    refused = token.post("/drafts", {"draft": {}})
    assert (refused.status_code, refused.json["type"].rsplit("/", 1)[1]) == (403, "right-missing")
    world.change(f"DELETE FROM memberships WHERE person_id = '{CHEN}'")
    assert token.get("/drafts").status_code == 401


def test_a_suspended_account_or_manufacturer_is_not_let_in(machines: Machines, world: World) -> None:
    token = machines.of_maker(CHEN, YUNZHOU)
    world.change(f"UPDATE accounts SET state = 'suspended' WHERE person_id = '{CHEN}'")
    assert token.get("/drafts").status_code == 401


def test_a_token_is_not_given_more_than_its_person_may(machines: Machines) -> None:
    stranger = PEOPLE[BEICHEN][0]
    too_much = ((CHEN, Right.APPROVALS_DECIDE), (LIN, Right.DRAFTS_WRITE), (stranger, Right.DRAFTS_READ))
    for person, right in too_much:
        rights, uscc = frozenset({right}), machines.maker(YUNZHOU)
        wish = Wish(kind="maker", of=uscc, label="x", rights=rights, lasts=timedelta(days=1))
        with pytest.raises(NotPermitted):
            machines.world.services.tokens.make(wish, by=person)


def test_every_right_is_somebodys_and_every_operation_has_one(machines: Machines) -> None:
    operations = machines.app.extensions["signer.gate"].all
    given = {right for kind in HELD for right in rights_of(kind, frozenset(Role))}
    assert given == set(Right)
    assert all(operation.rights for operation in operations)
    assert len({operation.name for operation in operations}) == len(operations)


def test_an_operation_refuses_every_token_without_its_right(machines: Machines) -> None:
    """The matrix: each operation asked by a token that has every other right, with references that are nobody's."""
    tokens: dict[tuple[str, tuple[Right, ...]], Machine] = {}
    for operation in machines.app.extensions["signer.gate"].all:
        path = re.sub(r"<[^>]+>", "0123456789abcdef", operation.rule)
        for person in (CHEN, LIN):
            held = machines.world.services.tokens.may(person, "maker", machines.maker(YUNZHOU))
            others = tuple(sorted(held - set(operation.rights)))
            if (person, others) not in tokens:
                tokens[person, others] = machines.of_maker(person, YUNZHOU, *others)
            told = {} if operation.method in ("POST", "PUT") else None
            answer = tokens[person, others].ask(operation.method, path, json=told)
            assert answer.status_code == 403, (operation.name, answer.text)
            assert answer.json["type"].endswith("/problems/right-missing")


def test_a_minute_has_so_many_questions_and_every_answer_says_how_many_are_left(
    machines: Machines, erp: Machine
) -> None:
    first = erp.get("/drafts")
    assert first.headers["RateLimit-Limit"] == str(A_MINUTE)
    assert first.headers["RateLimit-Remaining"] == str(A_MINUTE - 1)
    caller = machines.world.services.tokens.caller(erp.secret)
    while machines.world.services.tokens.ration(caller).left > 0:
        pass
    refused = erp.get("/drafts")
    assert refused.status_code == 429
    assert refused.headers["Retry-After"] == refused.headers["RateLimit-Reset"]
    assert refused.headers["RateLimit-Remaining"] == "0"
    machines.world.at += timedelta(minutes=1)
    assert erp.get("/drafts").status_code == 200


def test_two_processes_never_give_out_more_than_a_minute_has(machines: Machines, erp: Machine, world: World) -> None:
    one, other = world.services.tokens, world.another().services.tokens
    caller, given = one.caller(erp.secret), 0
    for turn in range(2 * A_MINUTE):
        given += (one, other)[turn % 3 == 0].ration(caller).left >= 0
    assert A_MINUTE - 20 <= given <= A_MINUTE


def test_an_unknown_or_repeated_parameter_is_refused(erp: Machine) -> None:
    wrong = (("sate=open", "/sate"), ("limit=5&limit=6", "/limit"), ("limit=0", "/limit"), ("cursor=x", "/cursor"))
    for query, pointer in wrong:
        answer = erp.get(f"/drafts?{query}")
        assert (answer.status_code, answer.json["errors"][0]["pointer"]) == (422, pointer)


def test_what_is_not_json_is_not_given(erp: Machine) -> None:
    assert erp.get("/drafts", headers={"Accept": "text/html"}).status_code == 406
    assert erp.get("/drafts", headers={"Accept": "application/json;q=0.1, */*;q=0"}).status_code == 200
    assert erp.get("/drafts", headers={"Accept": "*/*"}).status_code == 200
