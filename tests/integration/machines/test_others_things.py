"""Another manufacturer's things are to every operation as if they were not there, and so is what is nowhere."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from world import BEICHEN, KAZAKHSTAN, PEOPLE, YUNZHOU, sample

from signer.domain.parties import Role
from signer.web.machines import examples

if TYPE_CHECKING:
    from machine import Machine, Machines
    from world import World

    from signer.web.machines.gate import Gate, Operation

NOWHERE = {"ref": "0123456789abcdef", "number": "RPYS7-5JEK1-0GVQ", "outlet": "nowhere-1", "delivery": "999999"}
NOWHERE |= {"place": "999999"}


def things(world: World, erp: Machine, admin: Machine) -> dict[str, list[str]]:
    """What one manufacturer has, by the name that addresses give it."""
    sent = erp.post("/confirmations", {"title": "ours", "draft": sample(KAZAKHSTAN)}).json["ref"]
    number = world.issue(sample(KAZAKHSTAN)).number
    (vin,) = [one["vin"] for one in erp.get(f"/confirmations/{number}").json["lines"]][:1]
    draft = erp.post("/drafts", {"title": "ours", "draft": {}}).json["ref"]
    wish = erp.post(f"/confirmations/{number}/withdrawals", {"vins": [vin], "reason": "error"})
    hook = admin.post("/webhooks", {"url": "https://erp.maker.example/", "events": ["issued"]}).json["ref"]
    ping = admin.post(f"/webhooks/{hook}/pings").json["id"]
    sheet = b"id,country,name\nkz-new,KZ,New Sample Centre\n"
    listed = erp.ask("POST", "/outlet-lists", data=sheet, content_type="text/csv").json["ref"]
    batch = erp.ask("POST", "/batches", data=b"vin\nLTEST0000T0000017\n", content_type="text/csv").json["ref"]
    refs = [draft, wish.json["ref"], hook, listed, sent, batch]
    outlets = [one["id"] for one in erp.get("/outlets").json["items"]][:1]
    return {"ref": refs, "number": [number], "outlet": outlets, "delivery": [str(ping)], "place": ["1"]}


def told(token: Machine, asked: Operation, names: dict[str, str]) -> tuple[int, object]:
    """The answer without what is this request's own."""
    path, takes = asked.rule, asked.doc.takes
    for name, value in names.items():
        path = path.replace(f"<{name}>", value)
    body = None if takes is None else examples.of(takes)
    answer = token.ask(asked.method, path, json=body, headers={"If-Match": "*"})
    plain = {} if answer.json is None else {**answer.json, "instance": ""}
    return answer.status_code, json.loads(json.dumps(plain).replace(path, ""))


def test_what_is_anothers_is_answered_as_what_is_nowhere(machines: Machines, erp: Machine, world: World) -> None:
    world.give("admin", "admin.sample")
    ours = things(world, erp, machines.of_maker("admin.sample", YUNZHOU))
    gate: Gate = machines.app.extensions["signer.gate"]
    strangers = [machines.of_maker(person, BEICHEN) for person in PEOPLE[BEICHEN]]
    strangers.append(machines.of_house("officer.sample", Role.OFFICER))
    asked = 0
    for operation in gate.all:
        names = [name for name in NOWHERE if f"<{name}>" in operation.rule]
        for stranger in strangers if names else ():
            nowhere = told(stranger, operation, {name: NOWHERE[name] for name in names})
            for at in range(max(len(ours[name]) for name in names)):
                theirs = {name: ours[name][min(at, len(ours[name]) - 1)] for name in names}
                assert told(stranger, operation, theirs) == nowhere, (operation.name, theirs)
                assert nowhere[0] in (400, 403, 404, 422), operation.name
                asked += 1
    assert asked > 100
