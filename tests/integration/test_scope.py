"""Manufacturers are kept apart in one layer: what is another's is as if it were not there."""

from __future__ import annotations

import ast
import inspect
import pkgutil
from datetime import timedelta
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest
from world import BEICHEN, EMIRATES, KAZAKHSTAN, PEOPLE, YUNZHOU, World, sample

import signer.register
from signer.domain.number import Number
from signer.errors import NotFound, RuleViolation
from signer.register import audit, confirmations, endings, lookup, parties, tables
from signer.register.scope import Scope
from signer.services.withdraw import Withdrawal

if TYPE_CHECKING:
    from collections.abc import Callable

    from signer.register.database import Transaction

_BY_ID = "is handed a record that a scope has let through"
_ADDS = "adds a row of the manufacturer that it is told, reads and changes nothing"
_WHOLE = "copies or looks through the whole register, or fills an empty one: for operators"
_ANYBODYS = "answers no manufacturer: a digest, a certificate or a person of this deployment, for anybody's verdict"
_PERIODIC = "maintenance of everybody's files, asked by no manufacturer"
_OWN = "tells a person for whom that person works, and nothing of theirs"
_WAITS = "tells a worker whether anybody waits, and nothing of whom"
_NO_MAKERS = "is of no manufacturer: who acts for an exporter, and a line of the audit that says so"
UNSCOPED = {
    "audit.note": _ADDS,
    "audit.note_seal_use": _ADDS,
    "audit.queue_notice": _ADDS,
    "status_lists.take": _BY_ID,
    "status_lists.put": _BY_ID,
    "status_lists.settle": _BY_ID,
    "status_lists.begin_anew": _WHOLE,
    "status_lists.numbers": _PERIODIC,
    "status_lists.places": _PERIODIC,
    "status_lists.place": _BY_ID,
    "status_lists.move": _BY_ID,
    "batches.who_waits": _WAITS,
    "confirmations.close_if_ended": _BY_ID,
    "exporters.confirm": _NO_MAKERS,
    "exporters.decide": _NO_MAKERS,
    "official.offer": _BY_ID,
    "official.compared": _BY_ID,
    "official.retract": _BY_ID,
    "official.copies": _BY_ID,
    "official.filed": _ANYBODYS,
    "official.filed_of": _ANYBODYS,
    "official.digests": _WHOLE,
    "seals.used": _BY_ID,
    "sessions.roles_of": _OWN,
    "seals.reached_limit": _BY_ID,
    "seals.refuse_unusable": _BY_ID,
    "seals.standing_of": _ANYBODYS,
    "seals.is_operator": _ANYBODYS,
    "upgrades.record": _BY_ID,
    "upgrades.counts": _PERIODIC,
    "archive.write": _WHOLE,
    "archive.load": _WHOLE,
    "archive.refuse_filled": _WHOLE,
}
"""The functions that touch what manufacturers own without a scope, each with its reason."""


def owned() -> set[str]:
    """Return the tables that say whose a row is, or which confirmation's."""
    return {
        table.name
        for table in tables.metadata.tables.values()
        if {"manufacturer_id", "confirmation_id"} & set(table.columns.keys())
    } | {"confirmations"}


def touched() -> dict[str, tuple[bool, set[str]]]:
    """Tell of every public function of the register whether it has a scope, and which owned tables it touches."""
    trees = {
        module.name: ast.parse(inspect.getsource(import_module(f"signer.register.{module.name}")))
        for module in pkgutil.iter_modules(signer.register.__path__)
        if not module.ispkg and module.name not in {"tables", "triggers", "scope"}
    }
    said: dict[str, ast.AST] = {}
    for module, tree in trees.items():
        for node in tree.body:
            said |= {f"{module}.{name}": what for name, what in _named(node)}
    return {
        name: (_has_scope(node), _tables(name, said, set()) & owned())
        for name, node in said.items()
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")
    }


def _named(node: ast.AST) -> list[tuple[str, ast.AST]]:
    """Return the functions and constants that a statement of a module names, each with what it is."""
    if isinstance(node, ast.FunctionDef):
        return [(node.name, node)]
    if not isinstance(node, ast.Assign):
        return []
    (target,) = node.targets
    if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
        pairs = zip(target.elts, node.value.elts, strict=True)
    else:
        pairs = zip((target,), (node.value,), strict=True)
    return [(ast.unparse(name), value) for name, value in pairs]


def _has_scope(node: ast.FunctionDef) -> bool:
    every = (*node.args.args, *node.args.kwonlyargs)
    return any(each.arg == "scope" and ast.unparse(each.annotation or each) == "Scope" for each in every)


def _tables(name: str, said: dict[str, ast.AST], seen: set[str]) -> set[str]:
    """Return the tables that a function names, itself or through what it calls in the register without a scope."""
    if name in seen or name not in said:
        return set()
    seen.add(name)
    module, _, _ = name.partition(".")
    found: set[str] = set()
    for node in ast.walk(said[name]):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            if node.value.id == "tables":
                found |= set(tables.metadata.tables) if node.attr == "metadata" else {node.attr}
            else:
                found |= _tables(f"{node.value.id}.{node.attr}", said, seen)
        elif isinstance(node, ast.Name):
            found |= _tables(f"{module}.{node.id}", said, seen)
    return found


def test_whatever_touches_what_manufacturers_own_is_handed_a_scope() -> None:
    bare = {name for name, (has_scope, names) in touched().items() if names and not has_scope}
    assert bare == set(UNSCOPED)


def test_the_inspection_sees_what_it_is_meant_to_see() -> None:
    seen = touched()
    assert {"confirmations", "lines", "vin_claims", "seals", "audit", "memberships"} <= owned()
    assert seen["endings.withdraw"] == (True, seen["endings.withdraw"][1])
    assert "confirmations" in seen["lookup.summary"][1]
    assert "vin_claims" in seen["confirmations.claims_of"][1]
    assert "audit" in seen["audit.note"][1]
    assert not seen["lookup.failures"][1]


@pytest.fixture
def number(world: World) -> Number:
    """A confirmation of the first manufacturer's, with the second one looking on."""
    world.issue(sample(EMIRATES))
    return world.issue(sample(KAZAKHSTAN)).number


UNKNOWN = Number.draw(lambda _: 7)
HE, SUN = PEOPLE[BEICHEN]


def _withdraw(world: World, number: Number) -> object:
    wanted = Withdrawal(number=number, manufacturer=BEICHEN, by=HE, second=SUN, reason="error")
    return world.services.ending.withdraw(wanted)


BY_SERVICE: dict[str, Callable[[World, Number], object]] = {
    "fetch": lambda world, number: world.services.issuing.fetch(number, manufacturer=BEICHEN),
    "withdraw": _withdraw,
    "suspend": lambda world, number: world.services.ending.suspend(number, manufacturer=BEICHEN, by=HE),
    "lift": lambda world, number: world.services.ending.lift(number, manufacturer=BEICHEN, by=SUN),
}


def refusal(act: Callable[[], object]) -> str:
    with pytest.raises(NotFound) as caught:
        act()
    return str(caught.value)


@pytest.mark.parametrize("verb", BY_SERVICE)
def test_another_manufacturers_number_is_refused_in_the_words_for_an_unknown_one(
    world: World, number: Number, verb: str
) -> None:
    before = world.rows("SELECT number, standing FROM confirmations ORDER BY id")
    theirs = refusal(lambda: BY_SERVICE[verb](world, number))
    unknown = refusal(lambda: BY_SERVICE[verb](world, UNKNOWN))
    assert theirs == unknown.replace(UNKNOWN, number)
    assert world.rows("SELECT number, standing FROM confirmations ORDER BY id") == before


IN_THE_REGISTER: dict[str, Callable[[Transaction, Number, Scope, World], object]] = {
    "summary": lambda tx, number, scope, _: lookup.summary(tx, number, scope=scope),
    "pending_record": lambda tx, number, scope, _: confirmations.pending_record(tx, number, scope=scope),
    "abandon": lambda tx, number, scope, world: confirmations.abandon(tx, number, scope=scope, reason="x", at=world.at),
    "suspended_by": lambda tx, number, scope, world: endings.suspended_by(tx, number, scope=scope, at=world.at),
    "suspend": lambda tx, number, scope, world: endings.suspend(
        tx, number, scope=scope, by="x", until=None, at=world.at
    ),
    "lift": lambda tx, number, scope, world: endings.lift(tx, number, scope=scope, at=world.at),
    "withdraw": lambda tx, number, scope, world: endings.withdraw(
        tx, number, scope=scope, vins=(), reason="error", at=world.at
    ),
}


@pytest.mark.parametrize("name", IN_THE_REGISTER)
def test_the_register_knows_no_number_outside_the_scope(world: World, number: Number, name: str) -> None:
    theirs = Scope.of(2)
    with world.services.database.write() as tx:
        other = refusal(lambda: IN_THE_REGISTER[name](tx, number, theirs, world))
        unknown = refusal(lambda: IN_THE_REGISTER[name](tx, UNKNOWN, theirs, world))
    assert other == unknown.replace(UNKNOWN, number)


def test_lists_hold_only_what_is_in_the_scope(world: World, number: Number) -> None:
    at, vin = world.at + timedelta(days=1), sample(KAZAKHSTAN)["vehicles"][0]["vin"]

    def seen(scope: Scope) -> dict[str, Any]:
        with world.services.database.read() as tx:
            return {
                "page": number in {each.number for each in lookup.newest(tx, scope=scope, before=at)},
                "record": lookup.by_number(tx, number, scope=scope, at=at) is not None,
                "files": number in {each for _, each in lookup.file_digests(tx, scope=scope)},
                "tails": bool(lookup.tails_of(tx, number, scope=scope)),
                "audit": number in {each.subject for each in audit.entries(tx, scope=scope)},
                "uses": number in {each.number for each in audit.seal_uses(tx, scope=scope)},
                "outlets": len(parties.outlets_of(tx, scope=scope)),
                "seals": [each.certificate_digest for each in parties.seals_of(tx, scope=scope, at=at)],
                "roles": bool(parties.roles_of(tx, PEOPLE[YUNZHOU][0], scope=scope)),
            }

    mine, theirs = seen(Scope.of(1)), seen(Scope.of(2))
    assert all(mine.values())
    assert not any(theirs[name] for name in ("page", "record", "files", "tails", "audit", "uses", "roles"))
    assert not set(mine["seals"]) & set(theirs["seals"])
    with world.services.database.read() as tx:
        assert confirmations.claims_of(tx, (vin,), scope=Scope.of(1)) == {vin: number}
        assert confirmations.claims_of(tx, (vin,), scope=Scope.of(2)) == {}


def test_another_manufacturers_number_is_superseded_as_little_as_an_unknown_one(world: World, number: Number) -> None:
    words = []
    for superseded in (number, UNKNOWN):
        with pytest.raises(RuleViolation) as caught:
            world.issue({**sample(EMIRATES), "supersedes": superseded})
        words.append(sorted(finding.rule for finding in caught.value.violations))
    assert words[0] == words[1]


def test_exports_and_redactions_stay_at_home(world: World, number: Number) -> None:
    for what in ("audit", "seal-register"):
        assert number in world.services.exporting.text(what, "csv", manufacturer=YUNZHOU)
        assert number not in world.services.exporting.text(what, "csv", manufacturer=BEICHEN)
    ours = {row[0] for row in world.rows("SELECT id FROM outlets WHERE manufacturer_id = 1")}
    theirs = {row[0] for row in world.rows("SELECT id FROM outlets WHERE manufacturer_id = 2")}
    for outlet in sorted(ours - theirs):
        with pytest.raises(NotFound):
            world.services.redacting.outlet(BEICHEN, outlet, by="operator")
    kept = world.rows("SELECT id, record FROM outlets WHERE manufacturer_id = 1 ORDER BY id")
    for outlet in sorted(ours & theirs):
        world.services.redacting.outlet(BEICHEN, outlet, by="operator")
    assert world.rows("SELECT id, record FROM outlets WHERE manufacturer_id = 1 ORDER BY id") == kept


def test_a_seal_of_another_manufacturers_is_no_seal(world: World) -> None:
    ((digest,),) = world.rows("SELECT min(certificate_digest) FROM seals WHERE manufacturer_id = 1")
    with pytest.raises(NotFound):
        world.services.ending.suspend_seal(digest, manufacturer=BEICHEN, by=HE)
    with world.services.database.write() as tx, pytest.raises(NotFound):
        endings.suspend_seal(tx, digest, scope=Scope.of(2), until=None, at=world.at)


def test_everything_needs_a_reason_and_nothing_is_everybodys() -> None:
    with pytest.raises(ValueError, match="why"):
        Scope.everything("")
    with pytest.raises(ValueError, match="never everybody's"):
        _ = Scope.everything("a test").owner
