"""Many at once at the doors: what counts once counts once, on either database, whoever else asks at that moment."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from mishaps import at_once, crew
from portal import PASSWORD, Portal
from world import PEOPLE, YUNZHOU, World, sample

from signer.domain.account import Principal, Proof
from signer.domain.parties import Role, Uscc
from signer.register import invitations, parties
from signer.services.invitations import Invited
from signer.services.limits import FREE
from signer.services.sessions import Begun
from signer.services.sign_in import Origin

if TYPE_CHECKING:
    from collections.abc import Callable

CHEN, LIN = PEOPLE[YUNZHOU]
MAKER = Uscc(sample("register")["manufacturers"][0]["record"]["uscc"])
HERE = Origin(network="192.0.2.0/24", agent="test")


@pytest.fixture
def portal(world: World) -> Portal:
    return Portal.of(world)


def principal(world: World, person: str) -> Principal:
    """Sign somebody in who showed a second factor just now."""
    Portal.of(world).give_account(person)
    begun = Begun(person=person, way="password", agent="test", network=HERE.network, has_factor=True)
    found = world.services.sessions.principal(world.services.sessions.begin(begun))
    assert found is not None
    return found


def raced(world: World, count: int, act: Callable[[World, int], object]) -> list[str]:
    """Let so many do something at once: `done`, or the code of what was refused, sorted."""

    def run(mine: World, place: int) -> str:
        act(mine, place)
        return "done"

    with crew(world, count) as workers:
        return sorted(at_once(workers, run))


def test_guesses_at_once_are_not_one_guess(world: World, portal: Portal) -> None:
    login = portal.give_password(CHEN)
    wrong = raced(world, FREE + 3, lambda mine, _: mine.services.signing_in.password(login, "a guess", HERE))
    assert wrong == ["not-permitted"] * FREE + ["too-many-requests"] * 3
    assert world.rows("SELECT count(*) FROM sign_in_failures") == [(FREE,)]
    elsewhere = Origin(network="198.51.100.0/24", agent="test")
    right = raced(world, 3, lambda mine, _: mine.services.signing_in.password(login, PASSWORD, elsewhere))
    assert right == ["done"] * 3
    assert world.rows("SELECT count(*) FROM sign_in_failures") == [(FREE,)], "who is right is forgiven"
    assert len(world.services.sessions.of(CHEN)) == 3


def test_a_code_shown_twice_at_once_counts_once(world: World, portal: Portal) -> None:
    app, login = portal.give_factor(CHEN), portal.give_password(CHEN)
    codes = world.services.own_account.new_codes(principal(world, CHEN))
    opened = [world.services.signing_in.password(login, PASSWORD, HERE).token for _ in range(4)]

    def show(code: str) -> list[str]:
        return raced(
            world, 2, lambda mine, place: mine.services.signing_in.second(opened.pop(), Proof(code=code), HERE)
        )

    assert show(codes[0]) == ["done", "not-permitted"]
    assert show(app.at(world.at)) == ["done", "not-permitted"]


def test_two_factors_shown_at_once_for_one_sign_in_are_one_session(world: World, portal: Portal) -> None:
    app, login = portal.give_factor(CHEN), portal.give_password(CHEN)
    chen = principal(world, CHEN)
    proofs = [Proof(code=app.at(world.at)), Proof(code=world.services.own_account.new_codes(chen)[0])]
    waiting = world.services.signing_in.password(login, PASSWORD, HERE).token
    answers = raced(world, 2, lambda mine, place: mine.services.signing_in.second(waiting, proofs[place], HERE))
    assert answers == ["done", "not-authenticated"]
    assert len(world.services.sessions.of(CHEN)) == 2, "the one before, and one more"


def test_a_passkeys_answer_sent_twice_at_once_opens_one_session(world: World, portal: Portal) -> None:
    device = portal.give_passkey(CHEN)
    answer = device.show(world.services.signing_in.ask_anybody("form"))
    assert raced(world, 3, lambda mine, _: mine.services.signing_in.passkey(answer, HERE, guest="form")) == [
        "done",
        "not-permitted",
        "not-permitted",
    ]
    assert len(world.services.sessions.of(CHEN)) == 1


def test_an_invitation_accepted_twice_at_once_is_one_account(world: World) -> None:
    invited = Invited(login="wang@example.com", name="王新", roles=frozenset({Role.APPROVER}))
    token = world.services.inviting.appoint(invited, maker=MAKER, actor="test")

    def accept(mine: World, place: int) -> object:
        return mine.services.inviting.accept_new(token, name=f"王新{place}", password="four words of wang")

    answers = raced(world, 3, accept)
    assert answers.count("done") == 1
    assert set(answers) <= {"done", "not-found", "conflict"}
    assert world.rows("SELECT count(*) FROM accounts WHERE login = 'wang@example.com'") == [(1,)]
    assert world.rows("SELECT count(*) FROM people WHERE name LIKE '王新%'") == [(1,)]
    assert world.rows("SELECT count(*) FROM audit WHERE event = 'invitation.accepted'") == [(1,)]


def test_two_administrators_ask_for_an_approver_at_once_and_two_approvers_agree_at_once(
    world: World, portal: Portal
) -> None:
    world.give("admin", "adm.one", "adm.two")
    world.give("approver", "zhao.sample")
    admins = [principal(world, one) for one in ("adm.one", "adm.two")]
    assert raced(
        world, 2, lambda mine, place: mine.services.members.ask(admins[place], MAKER, CHEN, "grant-approver")
    ) == ["conflict", "done"]
    ((number,),) = world.rows("SELECT id FROM role_requests")
    apps = {one: portal.give_factor(one) for one in (LIN, "zhao.sample")}
    deciders = [principal(world, one) for one in apps]

    def decide(mine: World, place: int) -> None:
        proof = Proof(code=apps[deciders[place].person.id].at(world.at))
        mine.services.members.decide(deciders[place], MAKER, number, grant=place == 0, proof=proof)

    assert raced(world, 2, decide) == ["done", "not-found"]
    ((outcome, by),) = world.rows("SELECT outcome, decided_by FROM role_requests")
    assert (outcome, by) in (("granted", LIN), ("refused", "zhao.sample"))
    with world.services.database.read() as tx:
        held = invitations.members(tx, scope=parties.tenant(tx, MAKER).scope)[CHEN]
    assert (Role.APPROVER in held) == (outcome == "granted")


def test_two_administrators_take_each_others_role_at_once_and_one_stays(world: World) -> None:
    world.give("admin", "adm.one", "adm.two")
    admins = [principal(world, one) for one in ("adm.one", "adm.two")]

    def take(mine: World, place: int) -> None:
        mine.services.members.change(admins[place], MAKER, admins[1 - place].person.id, frozenset())

    assert raced(world, 2, take) == ["conflict", "done"]
    assert world.rows("SELECT count(*) FROM memberships WHERE role = 'admin'") == [(1,)]


def test_both_factors_removed_at_once_leave_one(world: World, portal: Portal) -> None:
    portal.give_factor(CHEN)
    portal.give_passkey(CHEN)
    chen = principal(world, CHEN)
    held = [row[0] for row in world.rows("SELECT id FROM factors")]
    assert raced(world, 2, lambda mine, place: mine.services.own_account.remove(chen, held[place])) == [
        "conflict",
        "done",
    ]
    assert world.rows("SELECT count(*) FROM factors") == [(1,)]


def test_a_session_renewed_twice_at_once_goes_on_once(world: World) -> None:
    chen = principal(world, CHEN)
    answers = raced(world, 2, lambda mine, _: mine.services.sessions.renew(chen, has_factor=True))
    assert answers == ["done", "not-found"]
    assert len(world.services.sessions.of(CHEN)) == 1


def test_what_happened_at_once_is_in_the_audit_once(world: World, portal: Portal) -> None:
    app = portal.give_factor(CHEN)
    chen = principal(world, CHEN)
    code = app.at(world.at)
    answers = raced(world, 3, lambda mine, _: mine.services.accounts.confirm(chen, Proof(code=code), about="approve:1"))
    assert answers == ["done", "not-permitted", "not-permitted"]
    ((detail,),) = world.rows("SELECT detail FROM audit WHERE event = 'factor.shown'")
    assert json.loads(detail) == {"about": "approve:1", "kind": "totp"}
