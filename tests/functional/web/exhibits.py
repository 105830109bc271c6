"""Papers and questions, one for every verdict that a working service can come to without a broken clock or key."""

from __future__ import annotations

import io
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pikepdf
import world as worlds

from signer.domain.trust import SealState
from signer.errors import StorageUnavailable
from signer.seal import pki, trust
from signer.services.withdraw import Withdrawal

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from signer.domain.trust import TrustEntry
    from signer.services.sealing import Issued

PKI = worlds.ROOT / "keys.example" / "pki.yaml"
VINS = ("L0YSA3B29T0000101", "L0YSA3B20T0000102", "L0YSA3B22T0000103")
TIANSHAN = worlds.TIANSHAN
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
    world.services.database.close()
    exhibits = _of_files(kz, withdrawn, whole, partly, ae) | _of_questions(kz)
    for code, other in (("NOT_REGISTERED", sister), ("UNKNOWN_SEAL", stranger)):
        elsewhere = worlds.World(other, at=at, overrides={"SIGNER_TSA_URLS": "http://127.0.0.1:9/"})
        exhibits[code] = Exhibit(files={"paper.pdf": elsewhere.issue(sample(worlds.KAZAKHSTAN)).pdf})
        elsewhere.services.database.close()
    return Case(folder, exhibits, kz.number, kz.pdf, ae.pdf, ru.pdf)


def _end(world: worlds.World, issued: Issued, maker: str) -> None:
    by, second = worlds.PEOPLE[maker]
    order = Withdrawal(number=issued.number, manufacturer=maker, by=by, second=second, reason="sale-fell-through")
    world.services.ending.withdraw(order)


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


def make_elsewhere(template: Path, folder: Path, *, at: Any) -> dict[str, tuple[dict[str, str], Exhibit]]:
    """Make the deployments that need a trust list or a fate of their own: settings and paper by code."""
    found = {}
    for code in ("SEAL_REVOKED", "NOT_ISSUED", "TEST_ONLY"):
        world = worlds.World(worlds.copy(template, folder / code), at=at)
        pdf = _never_recorded(world) if code == "NOT_ISSUED" else world.issue(_sample(at)).pdf
        environment = {"SIGNER_DATA_DIR": str(world.folder)}
        if code == "SEAL_REVOKED":
            _publish(world, _revoked_at(at), is_test=True)
        if code == "TEST_ONLY":
            _publish(world, lambda _: None, is_test=False)
            environment |= {"SIGNER_MODE": "production", "SIGNER_BASE_URL": "https://confirm.example.org"}
        world.services.database.close()
        found[code] = (environment, Exhibit(files={"paper.pdf": pdf}))
    return found


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


def _publish(world: worlds.World, change: Callable[[TrustEntry], TrustEntry | None], *, is_test: bool) -> None:
    made = pki.make_pki(world.settings.keys, pki.read_description(PKI.read_bytes()), at=world.at)
    older = world.services.trust.current(world.at)
    entries = tuple(entry for entry in map(change, older.entries) if entry is not None)
    newer = older.model_copy(update={"entries": entries, "sequence": older.sequence + 1, "test": is_test})
    key = trust.load_signing_key(made.list_key_file.read_bytes(), password=made.password)
    world.settings.trust_list_path.write_bytes(trust.sign(newer, key=key))


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
