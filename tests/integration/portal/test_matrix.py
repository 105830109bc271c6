"""
Every door, tried by everybody: each route x each role x another manufacturer's objects.

What a route needs besides the manufacturer stands in `objects.py`; a route that is no door, or whose objects nobody
makes, fails here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import exporting
import objects
import pytest
import world as worlds
from portal import Portal

from signer.domain.parties import Role
from signer.services.sessions import Begun
from signer.web.portal.doors import ENROL, EXPORTERS, MAKERS, SIGNED_IN, Door

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from portal import Visitor

    from signer.register.exporters import SignUpState

PUBLIC = frozenset(
    {"static", "public", "car", "api", "about", "openapi", "docs", "published", "published_api", "paper_page", "log"}
    | {"ready"}
)
"""Blueprints (and Flask's own) that know no person: their own tests say what they answer."""
KINDS = frozenset({("confirmations.file", "kind"), ("papers.file", "kind"), ("batches.item", "place")})
"""What an address names that is nobody's: a kind of file, a place in a list."""
APPOINTED = (Role.OPERATOR, Role.AUDITOR, Role.OFFICER)


@pytest.fixture(scope="module")
def case(template_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[objects.Case]:
    """One register for all: a person for each role, and the objects of two manufacturers."""
    made = worlds.World(worlds.copy(template_folder, tmp_path_factory.mktemp("matrix") / "data"))
    yield objects.make(Portal.of(made))
    made.services.database.close()


@pytest.fixture(scope="module")
def doors(case: objects.Case) -> tuple[Door, ...]:
    return tuple(case.portal.app.extensions["signer.doors"].all)


def test_every_route_is_a_door_or_an_operation_of_the_gate_or_a_public_page(
    case: objects.Case, doors: tuple[Door, ...]
) -> None:
    known = {(door.endpoint, door.rule, door.method) for door in doors}
    gate = case.portal.app.extensions["signer.gate"]
    known |= {(f"machines.{one.name}", f"/api/v1{one.rule}", one.method) for one in gate.all}
    found = {
        (rule.endpoint, rule.rule, method)
        for rule in case.portal.app.url_map.iter_rules()
        for method in rule.methods - {"HEAD", "OPTIONS"}
        if rule.endpoint.partition(".")[0] not in PUBLIC
    }
    assert found == known


def test_every_door_names_the_manufacturer_or_says_that_it_has_none(doors: tuple[Door, ...]) -> None:
    for door in doors:
        assert door.is_of_a_maker == door.rule.startswith("/portal/<uscc>"), door.rule
        assert door.is_of_an_exporter == door.rule.startswith("/exporter/<exporter>"), door.rule
        assert door.is_of_an_exporter == (door.roles == EXPORTERS), door.rule
        assert door.is_open != bool(door.roles), door.rule


def test_every_door_is_closed_to_guests(case: objects.Case, doors: tuple[Door, ...]) -> None:
    for door in doors:
        if door.is_open:
            continue
        answer = opened(door, case.guest(), case.address(door))
        if door.method == "GET":
            assert (answer.status_code, answer.location.startswith("/sign-in?next=")) == (303, True), door
        else:
            assert answer.status_code == 401, door


@pytest.mark.parametrize("role", sorted(Role))
def test_a_door_opens_for_its_roles_and_for_no_other(case: objects.Case, doors: tuple[Door, ...], role: Role) -> None:
    for door in doors:
        if door.is_open:
            continue
        visitor = case.visitor(role)
        status = opened(door, visitor, case.address(door)).status_code
        of_somebody = door.is_of_a_maker or door.is_of_an_exporter
        may = role in door.roles and (of_somebody or role in APPOINTED or door.roles == SIGNED_IN)
        assert status < 500, (door, status)
        if may:
            assert status not in (401, 403), (door, role, status)
        else:
            assert status == (404 if door.is_of_an_exporter else 403), (door, role, status)


@pytest.mark.parametrize("role", sorted(Role))
def test_another_exporters_pages_and_objects_are_not_there(
    case: objects.Case, doors: tuple[Door, ...], role: Role
) -> None:
    for door in doors:
        if not door.is_of_an_exporter:
            continue
        foreign = case.address(door, maker=case.other_exporter, of=case.other_exporter)
        assert opened(door, case.visitor(role), foreign).status_code == 404, (door, role)
        if objects.names(door.rule):
            mixed = case.address(door, of=case.other_exporter)
            assert opened(door, case.visitor(role), mixed).status_code == 404, (door, role)


@pytest.mark.parametrize("role", sorted(Role))
def test_another_manufacturers_pages_are_not_there(case: objects.Case, doors: tuple[Door, ...], role: Role) -> None:
    if role in APPOINTED:
        return  # appointed for the whole deployment
    for door in doors:
        if door.is_of_a_maker:
            status = opened(door, case.visitor(role), case.address(door, maker=case.other, of=case.other)).status_code
            assert status == 404, (door, role, status)


def test_another_manufacturers_objects_are_not_there_under_ones_own_address(
    case: objects.Case, doors: tuple[Door, ...]
) -> None:
    tried = 0
    for door in doors:
        if not door.is_of_a_maker or not objects.names(door.rule):
            continue
        for role in sorted(door.roles - set(APPOINTED)):
            status = opened(door, case.visitor(role), case.address(door, of=case.other)).status_code
            assert status == 404, (door, role, status)
            tried += 1
    assert tried or not any(objects.names(door.rule) for door in doors)


def test_each_object_of_an_address_alone_is_not_there_if_it_is_anothers(
    case: objects.Case, doors: tuple[Door, ...]
) -> None:
    tried = set()
    for door in doors:
        others = [name for _, name in objects.names(door.rule) if (door.endpoint, name) not in KINDS]
        if len(others) < 2 or door.is_open:
            continue
        role = next(iter(sorted(door.roles - set(APPOINTED))))
        foreign = case.other_exporter if door.is_of_an_exporter else case.other
        for name in others:
            mixed = case.address(door, but=(name, foreign))
            assert opened(door, case.visitor(role), mixed).status_code == 404, (door, name)
            tried.add((door.endpoint, name))
    assert {("sharing.revoke", "ref"), ("papers.revoke", "ref"), ("papers.revoke", "number")} <= tried


@pytest.fixture(scope="module")
def outsiders(case: objects.Case) -> dict[str, Visitor]:
    """Who acts for an exporter and has no role besides; who waits to, and who was put out."""
    world = case.portal.world
    for person in ("pure.exporter", "waits.exporter", "was.exporter"):
        state: SignUpState = "waiting" if person == "waits.exporter" else "member"
        ref = exporting.let_in(world, person, case.exporter, state=state)
    world.services.exporters.decide(ref, exporter=None, grant=False, by="only.operator")
    return {person: case.portal.visitor(person) for person in ("pure.exporter", "waits.exporter", "was.exporter")}


def test_who_acts_for_an_exporter_opens_no_manufacturers_door_and_no_office(
    case: objects.Case, doors: tuple[Door, ...], outsiders: dict[str, Visitor]
) -> None:
    for door in doors:
        if door.is_open or door.is_of_an_exporter or door.roles == SIGNED_IN:
            continue
        status = opened(door, outsiders["pure.exporter"], case.address(door)).status_code
        assert status == (404 if door.is_of_a_maker else 403), (door, status)


@pytest.mark.parametrize("person", ["waits.exporter", "was.exporter"])
def test_who_waits_or_was_put_out_opens_no_door_of_the_exporter(
    case: objects.Case, doors: tuple[Door, ...], outsiders: dict[str, Visitor], person: str
) -> None:
    for door in doors:
        if door.is_of_an_exporter:
            assert opened(door, outsiders[person], case.address(door)).status_code == 404, door


def test_who_has_no_second_factor_is_led_to_one_by_every_door(case: objects.Case, doors: tuple[Door, ...]) -> None:
    world = case.portal.world
    for role in APPOINTED:
        world.appoint(role.value, "everything.sample")
    every = [role.value for role in MAKERS]
    membership = {"person": "everything.sample", "manufacturer": case.own, "roles": every}
    world.services.people.load(worlds.as_bytes({"memberships": [membership]}), actor="test")
    exporting.let_in(world, "everything.sample", case.exporter)
    visitor = case.portal.visitor("everything.sample")
    told = Begun(person="everything.sample", way="password", agent="t", network="n", has_factor=False)
    visitor.client.set_cookie("signer", world.services.sessions.begin(told))
    for door in doors:
        if door.is_open or door.rule.startswith("/account"):
            continue
        answer = opened(door, visitor, case.address(door))
        assert (answer.status_code, answer.location) == (303, ENROL), door


def test_another_officers_checks_are_not_there(case: objects.Case, doors: tuple[Door, ...]) -> None:
    case.portal.world.appoint("officer", "other.officer")
    ref = objects.a_check(case, "", of="other.officer")
    tried = [door for door in doors if door.endpoint.startswith("office.") and "<ref>" in door.rule]
    assert len(tried) == 2
    for door in tried:
        address = door.rule.replace("<ref>", ref)
        assert opened(door, case.visitor(Role.OFFICER), address).status_code == 404, door


def test_a_form_that_names_anothers_objects_changes_nothing_of_theirs(
    case: objects.Case, doors: tuple[Door, ...]
) -> None:
    posts = [(door, case.address(door)) for door in doors if door.method == "POST" and not door.is_open]
    told, before = objects.a_form_full_of(case, case.other), objects.belongings(case, case.other)
    assert len([name for name, rows in before.items() if rows]) > 10
    for door, address in posts:
        for role in sorted(door.roles if door.roles != SIGNED_IN else {Role.PREPARER}):
            case.visitor(role).post(address, told)
    assert objects.belongings(case, case.other) == before


def test_a_form_that_no_page_made_does_nothing(case: objects.Case, doors: tuple[Door, ...]) -> None:
    for door in doors:
        if door.method != "POST":
            continue
        role = next(iter(sorted(door.roles)), Role.PREPARER)
        visitor = case.guest() if door.is_open else case.visitor(role)
        answer = visitor.post(case.address(door), {"csrf_token": "forged"})
        assert (answer.status_code, "form" in answer.text.lower()) == (400, True), door


def opened(door: Door, visitor: Visitor, address: str):  # noqa: ANN201 -- a werkzeug response
    """Open a door as its method does: a form that a page of ours made, with nothing in it."""
    if door.method == "GET":
        return visitor.get(address)
    return visitor.post(address, {}, forged=visitor.person is None)
