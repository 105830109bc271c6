"""Several files in one request: each is judged as it would be alone; no record's standing is kept for the request."""

from __future__ import annotations

from datetime import timedelta

from world import BEICHEN, KAZAKHSTAN, ROOT, RUSSIA, YUNZHOU, World, sample

from signer.domain.evidence import Asked
from signer.domain.verdict import Code
from signer.register import restores
from signer.services.official import Place
from signer.services.withdraw import Withdrawal

OTHER_VIN = "L0YSA3B26T0000900"
COPY = (ROOT / "docs" / "pictures" / "confirmation.png").read_bytes()


def withdraw(world: World, number: str) -> None:
    world.services.ending.withdraw(
        Withdrawal(
            number=number, manufacturer=YUNZHOU, by="chen.sample", second="lin.sample", reason="sale-fell-through"
        )
    )


def papers(world: World) -> dict[str, bytes]:
    """Return files of many kinds: in force, withdrawn, under a suspended seal, altered, a filed copy, no PDF at all."""
    found = {"in force": world.issue(sample(KAZAKHSTAN)).pdf}
    other = sample(KAZAKHSTAN)
    other["vehicles"] = [{**other["vehicles"][0], "vin": OTHER_VIN}]
    ended = world.issue(other)
    found["withdrawn"] = ended.pdf
    found["seal suspended"] = world.issue(sample(RUSSIA)).pdf
    found["altered"] = found["in force"] + b" "
    found["no seal"] = b"%PDF-1.7\n%%EOF\n"
    found["copy"] = COPY
    copying = world.services.copying
    digest = copying.offer(Place(number=ended.number, manufacturer=YUNZHOU, by="chen.sample"), COPY)
    copying.compare(Place(number=ended.number, manufacturer=YUNZHOU, by="lin.sample"), digest)
    world.at += timedelta(minutes=1)
    withdraw(world, ended.number)
    ((seal,),) = world.rows("SELECT certificate_digest FROM seals WHERE manufacturer_id = 2")
    world.services.ending.suspend_seal(seal, manufacturer=BEICHEN, by="he.sample")
    return found


def alike(world: World, files: dict[str, bytes]) -> dict[str, Code]:
    """Judge files alone and in one sitting, demand equal verdicts, and return the codes."""
    alone = {name: world.services.verifying.file(data) for name, data in files.items()}
    sitting = world.services.verifying.sitting(tuple(files.values()))
    together = {name: sitting.file(data, Asked()) for name, data in files.items()}
    assert together == alone
    return {name: verdict.code for name, verdict in together.items()}


def test_every_file_of_a_request_is_judged_as_if_it_were_alone(world: World) -> None:
    assert alike(world, papers(world)) == {
        "in force": Code.VALID,
        "withdrawn": Code.WITHDRAWN,
        "seal suspended": Code.INDETERMINATE,
        "altered": Code.ALTERED,
        "no seal": Code.UNREADABLE,
        "copy": Code.WITHDRAWN,
    }


def test_a_gap_of_the_register_is_known_to_a_request_of_several_files(world: World) -> None:
    issued = world.issue(sample(KAZAKHSTAN))
    made = restores.Restore(
        backup_at=world.at - timedelta(hours=1), restored_at=world.at + timedelta(hours=1), archive_digest=bytes(32)
    )
    with world.services.database.write() as tx:
        restores.note(tx, made)
    assert alike(world, {"perhaps withdrawn in the gap": issued.pdf}) == {
        "perhaps withdrawn in the gap": Code.VALID_WITH_NOTICE
    }


def test_what_is_withdrawn_during_a_request_is_withdrawn_in_its_answer(world: World) -> None:
    issued = world.issue(sample(KAZAKHSTAN))
    sitting = world.services.verifying.sitting((issued.pdf,))
    assert sitting.file(issued.pdf).code is Code.VALID
    world.at += timedelta(seconds=1)
    withdraw(world, issued.number)
    assert sitting.file(issued.pdf).code is Code.WITHDRAWN


def test_a_seal_suspended_between_two_requests_is_suspended_in_the_second(world: World) -> None:
    issued = world.issue(sample(RUSSIA))
    assert world.services.verifying.sitting((issued.pdf,)).file(issued.pdf).code is Code.VALID
    ((seal,),) = world.rows("SELECT certificate_digest FROM seals WHERE manufacturer_id = 2")
    world.services.ending.suspend_seal(seal, manufacturer=BEICHEN, by="he.sample")
    assert world.services.verifying.sitting((issued.pdf,)).file(issued.pdf).reason == "SEAL_SUSPENDED"
