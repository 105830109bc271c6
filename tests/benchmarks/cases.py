"""The measured cases: ours, and the stock way of doing the same with the same library, key, file and authority."""

from __future__ import annotations

import io
import os
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pki as pkis
import typst
import world as worlds
from asn1crypto import keys as asn1_keys
from asn1crypto import tsp
from asn1crypto import x509 as asn1_x509
from cryptography.hazmat.primitives import serialization
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign import signers
from pyhanko.sign.fields import MDPPerm, SigSeedSubFilter
from pyhanko.sign.timestamps import TimeStamper
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko.sign.validation.dss import DocumentSecurityStore
from pyhanko_certvalidator import ValidationContext
from pyhanko_certvalidator.registry import SimpleCertificateStore

from signer import resources
from signer.document import fonts, page
from signer.document.render import STANDARDS, Renderer
from signer.domain import content
from signer.domain.number import Number
from signer.errors import TimestampUnavailable
from signer.paper import symbol
from signer.seal import sign, validate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from signer.domain.confirmation import Confirmation
    from signer.seal.timestamp import Authority

os.environ.setdefault("RAYON_NUM_THREADS", "1")
BASE_URL = "https://confirm.example.org"


@dataclass(frozen=True)
class Case:
    name: str
    ours: Callable[[], object]
    peer: Callable[[], object]
    peer_name: str
    target: float | None = None
    prepare: Callable[[], object] | None = None
    """What both need before a round, made outside its time."""
    unit: str = "ms"
    """Of anything else, `ours` and `peer` return the value themselves, and are asked once."""


def all_cases() -> Iterator[Case]:
    folder = Path(tempfile.mkdtemp(prefix="bench-"))
    confirmations = _confirmations(folder / "world")
    yield from _render(confirmations)
    yield from _seal(folder / "pki", confirmations["small"])
    yield from _lookups(folder / "world")


def _confirmations(folder: Path) -> dict[str, Confirmation]:
    """Return the samples of 3 and 20 vehicles, as the register holds them."""
    folder.mkdir()
    world = worlds.World(worlds.build(folder))
    found = {}
    for size, name in (("small", worlds.KAZAKHSTAN), ("large", worlds.RUSSIA)):
        record = world.verify(world.issue(worlds.sample(name)).pdf).confirmation
        assert record is not None
        found[size] = record
    return found


def _render(confirmations: dict[str, Confirmation]) -> Iterator[Case]:
    renderer = _renderer()
    for size, confirmation in confirmations.items():
        encoded = content.encode(confirmation)
        yield Case(
            name=f"render.{size}",
            ours=partial(renderer.render, confirmation, encoded=encoded, base_url=BASE_URL),
            peer=partial(_render_stock, confirmation, encoded),
            peer_name="typst with a new compiler for each document, no field, no attachment pass",
        )


def _renderer() -> Renderer:
    return Renderer(resources.templates_dir(), symbol=partial(symbol.matrix, level="Q"))


def _render_stock(confirmation: Confirmation, encoded: bytes) -> bytes:
    renderer = _renderer()
    template = renderer._template(confirmation.terms.template.version)
    shown = page.build(
        template, confirmation, encoded=encoded, base_url=BASE_URL, symbol=renderer._symbol, extras=page.NO_EXTRAS
    )
    files = dict(template.files) | {file.name: file.data for file in shown.attachments}
    files |= {"data.json": shown.data, "setup.json": shown.setup}
    compiler = typst.Compiler(font_paths=list(map(str, fonts.folders())), ignore_system_fonts=True)
    made = compiler.compile(input=files, pdf_standards=list(STANDARDS))
    assert isinstance(made, bytes)
    return made


def _seal(folder: Path, confirmation: Confirmation) -> Iterator[Case]:
    world = pkis.make_world(folder)
    pdf = _renderer().render(confirmation, encoded=content.encode(confirmation), base_url=BASE_URL)
    maker = next(iter(world.keys))
    key, timestamper = world.keys[maker], world.timestamper()
    stock = _Stock(world, maker)
    evidence = world.evidence(maker)

    def ours() -> bytes:
        return sign.seal(pdf, key=key, timestamper=timestamper, at=pkis.AT, evidence=evidence).pdf

    yield Case(
        name="seal.b_lt.p256",
        ours=ours,
        peer=lambda: stock.seal(pdf),
        peer_name="stock pyHanko, invisible, two-revision B-LT, same key, in-process authority and evidence",
        target=10,
    )
    mine, theirs = ours(), stock.seal(pdf)
    assert validate.validate(mine, world.trust, pkis.AT).level == "B-LT"
    stock.validate(mine)
    yield Case(
        name="verify.b_lt.p256",
        ours=lambda: validate.validate(mine, world.trust, pkis.AT),
        peer=lambda: stock.validate(theirs),
        peer_name="stock pyHanko validation with the DSS, revocation required, of a stock-sealed B-LT",
    )


def _lookups(folder: Path) -> Iterator[Case]:
    """One answer for unknown, wrong tail, pending and abandoned must also take one time: ratios near 1."""
    world = worlds.World(folder)
    known = [number for (number,) in world.rows("SELECT number FROM confirmations")]
    unknown = Number.draw(lambda _: 7)
    pending, abandoned = _left_pending(world, worlds.MEXICO), _abandoned(world, worlds.EMIRATES)

    def ask(number: str, tail: str = "000000") -> object:
        world.at += timedelta(days=2)  # past every limit on guessing, so that each asking does the whole work
        return world.services.lookups.by_tail(number, tail, network="192.0.2.1")

    for name, number, tail in (
        ("wrong-tail", known[0], "000000"),
        ("wrong-tail-20", known[1], "000000"),
        ("pending.wrong-tail", pending, "000000"),
        ("pending.right-tail", pending, _tail(worlds.MEXICO)),
        ("abandoned.wrong-tail", abandoned, "000000"),
        ("abandoned.right-tail", abandoned, _tail(worlds.EMIRATES)),
    ):
        yield Case(
            name=f"lookup.absent.{name}",
            ours=partial(ask, number, tail),
            peer=partial(ask, unknown, tail),
            peer_name="the same look-up of an unknown number",
            target=1.0,
        )


def _tail(name: str) -> str:
    vin: str = worlds.sample(name)["vehicles"][0]["vin"]
    return vin[-6:]


def _left_pending(world: worlds.World, name: str) -> str:
    class Stopped(BaseException):
        pass

    return _cut_off(world, name, Stopped(), leaves="pending")


def _abandoned(world: worlds.World, name: str) -> str:
    return _cut_off(world, name, TimestampUnavailable("no authority answers"), leaves="abandoned")


def _cut_off(world: worlds.World, name: str, how: BaseException, *, leaves: str) -> str:
    """Issue, and let sealing end so; return the number, which must then stand as said."""

    def stop(*_: object, **__: object) -> None:
        raise how

    sealing = world.services.issuing._sealing
    sealing._seals, kept = type("Stopping", (), {**_members(sealing._seals), "seal": stop})(), sealing._seals
    with suppress(type(how)):
        world.issue(worlds.sample(name))
    sealing._seals = kept
    ((number,),) = world.rows(f"SELECT number FROM confirmations WHERE standing = '{leaves}'")
    return str(number)


def _members(seals: object) -> dict[str, object]:
    names = ("open", "refuse_unusable", "circumstances", "may_lack_proof")
    return {name: staticmethod(getattr(seals, name)) for name in names}


class _InProcess(TimeStamper):
    """The same authority, asked in the stock way."""

    def __init__(self, authority: Authority) -> None:
        super().__init__()
        self._authority = authority

    async def async_request_tsa_response(self, req: tsp.TimeStampReq) -> tsp.TimeStampResp:
        return tsp.TimeStampResp.load(self._authority.answer(req.dump()))


class _Stock:
    """What one gets from pyHanko's documentation."""

    def __init__(self, world: pkis.World, maker: str) -> None:
        made = world.maker(maker)
        self._key = _private_info(world.keys[maker])
        self._own = asn1_x509.Certificate.load(made.certificate.der)
        self._chain = [asn1_x509.Certificate.load(one.der) for one in (world.made.issuing, world.made.root)]
        self._answers = world.evidence(maker)(world.made.tsa).ocsps
        self._world = world

    def seal(self, pdf: bytes, *, existing_fields_only: bool = True) -> bytes:
        store = SimpleCertificateStore()
        store.register_multiple(self._chain)
        signer = signers.SimpleSigner(signing_cert=self._own, signing_key=self._key, cert_registry=store)
        meta = signers.PdfSignatureMetadata(
            field_name="Seal",
            md_algorithm="sha256",
            certify=True,
            docmdp_permissions=MDPPerm.NO_CHANGES,
            subfilter=SigSeedSubFilter.PADES,
            embed_validation_info=True,
            use_pades_lta=False,
            validation_context=ValidationContext(**self._settings(), ocsps=list(self._answers)),
        )
        out = signers.PdfSigner(meta, signer, timestamper=_InProcess(self._world.authority())).sign_pdf(
            IncrementalPdfFileWriter(io.BytesIO(pdf)), existing_fields_only=existing_fields_only
        )
        sealed = out.getvalue()
        assert isinstance(sealed, bytes)
        return sealed

    def validate(self, pdf: bytes) -> object:
        reader = PdfFileReader(io.BytesIO(pdf))
        context = DocumentSecurityStore.read_dss(reader).as_validation_context(self._settings())
        status = validate_pdf_signature(reader.embedded_signatures[0], context)
        assert status.bottom_line
        return status

    def _settings(self) -> dict[str, Any]:
        return {
            "trust_roots": self._chain[1:],
            "other_certs": self._chain[:1],
            "moment": pkis.AT,
            "allow_fetching": False,
            "revocation_mode": "require",
        }


def _private_info(key: object) -> asn1_keys.PrivateKeyInfo:
    der = key._key.private_bytes(  # type: ignore[attr-defined]
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return asn1_keys.PrivateKeyInfo.load(der)
