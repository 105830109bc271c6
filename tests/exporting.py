"""Exporters of the samples at their door: people who act for one, and what they ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import world as worlds

from signer.domain.confirmation import DraftVehicle
from signer.domain.parties import Uscc
from signer.domain.requesting import Wish
from signer.register import exporters, parties
from signer.services.requesting import Asker

if TYPE_CHECKING:
    from signer.register.exporters import SignUpState

NAMES = {worlds.TIANSHAN: "天山样例国际贸易有限公司", worlds.HAIYI: "海驿样例进出口有限公司"}


def let_in(world: worlds.World, person: str, exporter: str, *, state: SignUpState = "member") -> str:
    """Let somebody act for an exporter, behind the services' back; return the sign-up's reference."""
    world.services.people.load(worlds.as_bytes({"people": [{"id": person, "name": person}]}), actor="test")
    with world.services.database.write() as tx:
        for one in exporters.of_person(tx, person):
            if one.exporter_uscc == exporter:
                return one.ref
        ref = f"{abs(hash((person, exporter))) % 16**16:016x}"
        made = exporters.SignUp(
            ref=ref,
            token_digest=ref.encode() * 2,
            login=f"{person}@example.com",
            name=person,
            password=None,
            language="en",
            exporter_uscc=exporter,
            legal_name=NAMES[exporter],
            file_name="licence.pdf",
            file_digest=bytes(32),
            media_type="application/pdf",
            size=8,
            asked_at=world.at,
        )
        exporters.add(tx, made, b"%PDF-1.7")
        exporters.confirm(tx, made, person=person, state=state, at=world.at)
    return ref


def accept(world: worlds.World, exporter: str, *makers: str, person: str = "member.sample") -> None:
    """Let manufacturers accept an exporter for which somebody signed up, without a request."""
    ref = let_in(world, person, exporter)
    with world.services.database.write() as tx:
        for name in makers:
            scope, by = parties.tenant(tx, name).scope, worlds.PEOPLE[name][0]
            exporters.ask(tx, exporter, sign_up_ref=ref, by=person, scope=scope, at=world.at)
            known = exporters.acceptance(tx, exporter, scope=scope)
            if known is not None and known.state != "accepted":
                exporters.settle(tx, known, "accepted", by=by, reason="", scope=scope, at=world.at)


def wish(plain: Any, **more: str) -> Wish:
    """Return what a sample says, as an exporter would ask for it."""
    fields = DraftVehicle.model_fields
    rows = ({name: value for name, value in row.items() if name in fields} for row in plain["vehicles"])
    told = {"country": plain["destination"]["country"], **more}
    return Wish(vehicles=tuple(DraftVehicle.model_validate_json(worlds.as_bytes(row)) for row in rows), **told)


def send(world: worlds.World, exporter: str, person: str, *plain: Any, **more: str) -> tuple[str, ...]:
    """Send the vehicles of samples as one wish; return the requests' references."""
    whole = {**plain[0], "vehicles": [row for one in plain for row in one["vehicles"]]}
    return world.services.requesting.send(wish(whole, **more), Asker(exporter=Uscc(exporter), person=person))
