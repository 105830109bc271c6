"""Papers and questions, one for every verdict that a working service can come to without a broken clock or key."""

from __future__ import annotations

import io
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pikepdf
import world as worlds

from signer.domain.outlet_choice import OutletFacts
from signer.domain.places import Place as Point
from signer.domain.trust import SealState
from signer.errors import StorageUnavailable
from signer.register import outlets, parties
from signer.services.official import Place
from signer.services.withdraw import Withdrawal

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from signer.domain.trust import TrustEntry
    from signer.services.sealing import Issued

VINS = ("L0YSA3B29T0000101", "L0YSA3B20T0000102", "L0YSA3B22T0000103")
TIANSHAN = worlds.TIANSHAN
ELSEWHERE = ("SEAL_REVOKED", "NOT_ISSUED", "TEST_ONLY")
WITHDRAWN, SUPERSEDED, PARTLY = "05-to-be-withdrawn", "06-to-be-superseded", "07-to-be-partly-superseded"


@dataclass(frozen=True)
class Exhibit:
    """What is put into the form."""

    files: dict[str, bytes] = field(default_factory=dict)
    box: str = ""
    destination: str = ""
    exporter: str = ""
    applied_on: str = ""


@dataclass
class Case:
    """A live folder to serve, and the exhibits whose records are in it, by the code that each must get."""

    folder: Path
    exhibits: dict[str, Exhibit]
    kz_number: str
    kz: bytes
    ae: bytes
    ru: bytes


def make(folder: Path, sister: Path, stranger: Path, *, at: Any) -> Case:
    """Issue, end and spoil. `sister` has the same keys but another register, `stranger` keys of its own."""
    world = worlds.World(folder, at=at)
    today = at.date()

    def sample(name: str, **changes: Any) -> Any:
        return {**worlds.sample(name, today=today), **changes}

    kz = world.issue(sample(worlds.KAZAKHSTAN))
    ae = world.issue(sample(worlds.EMIRATES))
    ru = world.issue(sample(worlds.RUSSIA))
    withdrawn, whole, partly = (world.issue(sample(name)) for name in (WITHDRAWN, SUPERSEDED, PARTLY))
    _end(world, withdrawn, sample(WITHDRAWN)["manufacturer"])
    for old, name, first in ((whole, SUPERSEDED, 0), (partly, PARTLY, 2)):
        newer = sample(name, supersedes=old.number, destination={"country": "AE", "port": "Jebel Ali"})
        newer["vehicles"] = newer["vehicles"][first:]
        world.issue(newer)
    world.services.ending.suspend(ae.number, manufacturer=worlds.BEICHEN, by="he.sample")
    official = _filed_copy(world, kz)
    _let_buyers_ask(world, kz)
    world.services.database.close()
    exhibits = _of_files(kz, withdrawn, whole, partly, ae) | _of_questions(kz)
    exhibits["OFFICIAL_COPY"] = Exhibit(files={"paper.pdf": official})
    for code, other in (("NOT_REGISTERED", sister), ("UNKNOWN_SEAL", stranger)):
        elsewhere = worlds.World(other, at=at, overrides={"SIGNER_TSA_URLS": "http://127.0.0.1:9/"})
        exhibits[code] = Exhibit(files={"paper.pdf": elsewhere.issue(sample(worlds.KAZAKHSTAN)).pdf})
        elsewhere.services.database.close()
    return Case(folder, exhibits, kz.number, kz.pdf, ae.pdf, ru.pdf)


def _end(world: worlds.World, issued: Issued, maker: str) -> None:
    by, second = worlds.PEOPLE[maker]
    order = Withdrawal(number=issued.number, manufacturer=maker, by=by, second=second, reason="sale-fell-through")
    world.services.ending.withdraw(order)


def _let_buyers_ask(world: worlds.World, issued: Issued) -> None:
    """Open the page of buyers for the maker of a confirmation, and tell where one of its outlets is."""
    confirmation = world.verify(issued.pdf).confirmation
    assert confirmation is not None
    maker, outlet = confirmation.terms.manufacturer.uscc, confirmation.terms.outlets[0].id
    world.give("admin", "gao.sample")
    world.services.facts.answer_buyers(maker, by="gao.sample", is_wanted=True)
    with world.services.database.write() as tx:
        scope = parties.tenant(tx, maker).scope
        facts = OutletFacts(place=Point(43.25, 76.95))
        outlets.save_facts(tx, outlet, facts, scope=scope, at=world.at)


def _filed_copy(world: worlds.World, issued: Issued) -> bytes:
    """File what the manufacturer sealed in its own system: one person hands it in, another compares it."""
    data = b"%PDF-1.7 sealed elsewhere"
    offering, comparing = (
        Place(number=issued.number, manufacturer=worlds.YUNZHOU, by=person) for person in worlds.PEOPLE[worlds.YUNZHOU]
    )
    digest = world.services.copying.offer(offering, data)
    world.services.copying.compare(comparing, digest)
    return data


def _of_files(kz: Issued, withdrawn: Issued, whole: Issued, partly: Issued, suspended: Issued) -> dict[str, Exhibit]:
    middle = len(kz.pdf) // 2
    files = {
        "VALID": kz.pdf,
        "WITHDRAWN": withdrawn.pdf,
        "SUPERSEDED": whole.pdf,
        "PARTLY_SUPERSEDED": partly.pdf,
        "INDETERMINATE": suspended.pdf,
        "ALTERED": kz.pdf[:middle] + bytes([kz.pdf[middle] ^ 1]) + kz.pdf[middle + 1 :],
        "UNREADABLE": b"",
        "NOT_A_CONFIRMATION": blank("a contract"),
        "UNSEALED": blank("a copy", attached=attachment(kz.pdf)),
    }
    found = {code: Exhibit(files={"paper.pdf": pdf}) for code, pdf in files.items()}
    found["NOT_COVERED"] = Exhibit(files={"paper.pdf": kz.pdf}, box="L0YSA3B20T0000199", destination="UZ")
    found["VALID_WITH_NOTICE"] = Exhibit(
        files={"paper.pdf": partly.pdf}, box=worlds.sample(PARTLY)["vehicles"][0]["vin"]
    )
    found["PAST_END"] = Exhibit(files={"paper.pdf": kz.pdf}, applied_on="2199-01-01")
    return found


def _of_questions(kz: Issued) -> dict[str, Exhibit]:
    everything = "\n".join((kz.number, *VINS))
    return {
        "ON_RECORD": Exhibit(box=f"{kz.number}\n{VINS[0][-6:]}"),
        "NOT_ON_RECORD": Exhibit(box=f"{kz.number}\n999999"),
        "COVERED": Exhibit(box=everything, destination="KZ", exporter=TIANSHAN),
    }


def make_elsewhere(code: str, template: Path, folder: Path, *, at: Any) -> tuple[dict[str, str], Exhibit]:
    """Make a deployment with a trust list or a fate of its own, for one of `ELSEWHERE`: its settings and a paper."""
    world = worlds.World(worlds.copy(template, folder / code), at=at)
    pdf = _never_recorded(world) if code == "NOT_ISSUED" else world.issue(_sample(at)).pdf
    environment = {"SIGNER_DATA_DIR": str(world.folder)}
    if code == "SEAL_REVOKED":
        world.publish(_revoked_at(at))
    if code == "TEST_ONLY":
        world.publish(lambda _: None, forget=True, test=False)
        environment |= {"SIGNER_MODE": "production", "SIGNER_BASE_URL": "https://confirm.example.org"}
    world.services.database.close()
    return environment, Exhibit(files={"paper.pdf": pdf})


def _revoked_at(at: Any) -> Callable[[TrustEntry], TrustEntry]:
    revoked = {"state": SealState.REVOKED, "revoked_at": at, "compromised_from": at - timedelta(days=1)}
    return lambda entry: entry.model_copy(update=revoked) if entry.uscc else entry


def _sample(at: Any) -> Any:
    return worlds.sample(worlds.KAZAKHSTAN, today=at.date())


def _never_recorded(world: worlds.World) -> bytes:
    """Seal a file whose storing fails: the number is abandoned, the file escaped."""
    escaped: list[bytes] = []

    def full(data: bytes) -> bytes:
        escaped.append(data)
        raise StorageUnavailable("full")

    blobs = world.services.issuing._sealing._blobs
    blobs.put = full  # type: ignore[method-assign]
    with suppress(StorageUnavailable):
        world.issue(_sample(world.at))
    return escaped[0]


def attachment(sealed: bytes) -> bytes:
    """Return the content that a sealed file carries."""
    with pikepdf.open(io.BytesIO(sealed)) as pdf:
        return pdf.attachments["confirmation.json"].get_file().read_bytes()


def blank(title: str, *, attached: bytes | None = None) -> bytes:
    """Return an empty page with a title in its information, and perhaps somebody else's content attached."""
    pdf, out = pikepdf.new(), io.BytesIO()
    pdf.add_blank_page()
    if attached is not None:
        pdf.attachments["confirmation.json"] = attached
    pdf.docinfo["/Title"] = title
    pdf.save(out, object_stream_mode=pikepdf.ObjectStreamMode.disable)
    return out.getvalue()
