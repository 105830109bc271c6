"""The description holds: no 500, no status or body that it does not name, whatever is asked."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest
from contract import Contract
from exporting import accept, send
from machine import Machine
from world import KAZAKHSTAN, PEOPLE, TIANSHAN, YUNZHOU, fresh, sample

from signer.domain.parties import Role

if TYPE_CHECKING:
    from machine import Machines
    from world import World


def known(erp: Machine) -> dict[str, tuple[str, ...]]:
    """References of things that are there: drafts, and one that was sent for approval."""
    draft, other = (erp.post("/drafts", {"draft": sample(KAZAKHSTAN)}).json["ref"] for _ in range(2))
    sent = erp.post(f"/drafts/{draft}/approvals", headers={"If-Match": '"1-open"'}).json["ref"]
    return {"ref": (draft, sent, other)}


def caller(machines: Machines, role: str) -> Machine:
    """A machine of somebody with a role."""
    if role == "nobody":
        return Machine(machines.app, "", "")
    if role == "exporter":
        accept(machines.world, TIANSHAN, YUNZHOU)
        return machines.of_exporter("member.sample", TIANSHAN)
    if role in ("officer", "operator"):
        return machines.of_house(f"{role}.sample", Role(role))
    if role == "admin":
        machines.world.give("admin", "admin.sample")
        return machines.of_maker("admin.sample", YUNZHOU)
    return machines.of_maker(PEOPLE[YUNZHOU][role == "approver"], YUNZHOU)


def ask_all(machines: Machines, world: World, role: str, *, turns: int) -> Contract:
    references, who = known(machines.of_maker(PEOPLE[YUNZHOU][0], YUNZHOU)), caller(machines, role)
    if role == "exporter":
        asked = [send(world, TIANSHAN, "member.sample", fresh(KAZAKHSTAN, turn))[0] for turn in (1, 2)]
        references = {"ref": tuple(asked)}
    contract = Contract(world, who, references, turns=turns)
    contract.ask_all()
    assert contract.faults == {}
    return contract


def test_a_preparers_machine_is_answered_as_the_description_says(machines: Machines, world: World) -> None:
    contract = ask_all(machines, world, "preparer", turns=3)
    assert {status for _, status in contract.answers} >= {200, 201, 404, 422}


@pytest.mark.soak  # 50 questions to every operation in both modes, as each role: minutes each
@pytest.mark.parametrize("role", ["preparer", "approver", "admin", "exporter", "officer", "operator", "nobody"])
def test_every_roles_machine_is_answered_as_the_description_says(machines: Machines, world: World, role: str) -> None:
    contract = ask_all(machines, world, role, turns=50)
    sys.stdout.write(f"{role}: {sum(contract.answers.values())} answers; {dict(contract.totals())}\n")
