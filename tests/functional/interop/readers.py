"""What others say of our seals: six programs, each asked about one file and quoted in a few words."""

from __future__ import annotations

import io
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from asn1crypto import cms as asn1_cms
from asn1crypto import x509 as asn1_x509
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import SignatureCoverageLevel, validate_pdf_signature
from pyhanko.sign.validation.dss import DocumentSecurityStore
from pyhanko_certvalidator import ValidationContext

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

READERS = ("pyHanko", "pdfsig", "mutool", "qpdf", "openssl cms", "openssl ts")


def ask_all(pdf: bytes, root_pem: bytes, root_der: bytes, *, at: datetime) -> dict[str, str]:
    """Return what each of READERS says of a sealed file, which was sealed under this root."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        (place / "sealed.pdf").write_bytes(pdf)
        (place / "root.pem").write_bytes(root_pem)
        sealed = PdfFileReader(io.BytesIO(pdf), strict=True).embedded_signatures[0]
        _take_apart(sealed, pdf, place)
        asked: tuple[Callable[[], str], ...] = (
            lambda: _pyhanko(pdf, root_der, at),
            lambda: _pdfsig(place),
            lambda: _mutool(place),
            lambda: _qpdf(place),
            lambda: _openssl_cms(place),
            lambda: _openssl_ts(place),
        )
        return dict(zip(READERS, (ask() for ask in asked), strict=True))


def _take_apart(sealed: Any, pdf: bytes, place: Path) -> None:
    start, length, again, rest = (int(each) for each in sealed.byte_range)
    (place / "covered.bin").write_bytes(pdf[start : start + length] + pdf[again : again + rest])
    info = asn1_cms.ContentInfo({"content_type": "signed_data", "content": sealed.signed_data})
    (place / "seal.der").write_bytes(info.dump())
    signer = sealed.signed_data["signer_infos"][0]
    (place / "value.bin").write_bytes(signer["signature"].native)
    for attribute in signer["unsigned_attrs"] or ():
        if attribute["type"].native == "signature_time_stamp_token":
            (place / "token.der").write_bytes(attribute["values"][0].dump())


def _pyhanko(pdf: bytes, root_der: bytes, at: datetime) -> str:
    """Ask pyHanko's strict reader; the DSS, where there is one, is its only source of revocation data."""
    reader = PdfFileReader(io.BytesIO(pdf), strict=True)
    settings = {"trust_roots": [asn1_x509.Certificate.load(root_der)], "moment": at, "allow_fetching": False}
    if "/DSS" in reader.root:
        store = DocumentSecurityStore.read_dss(reader)
        context = store.as_validation_context({**settings, "revocation_mode": "require"})
    else:
        context = ValidationContext(**settings)
    status = validate_pdf_signature(reader.embedded_signatures[0], context)
    is_whole = status.coverage == SignatureCoverageLevel.ENTIRE_FILE
    words = ["intact" if status.intact and status.valid else "broken", "trusted" if status.trusted else "untrusted"]
    return ", ".join([*words, "entire file" if is_whole else f"later: {status.modification_level.name}"])


def _pdfsig(place: Path) -> str:
    told = _run(place, "pdfsig", "-nocert", "sealed.pdf").split("Signature #2")[0]
    value = "valid" if "Signature is Valid." in told else "not valid"
    whole = "total document" if "- Total document signed" in told else "not the total document"
    return f"{value}, {whole}"


def _mutool(place: Path) -> str:
    told = _run(place, "mutool", "sign", "-v", "sealed.pdf").split("\nVerifying")[0]
    for words, short in (
        ("Digest error", "cannot check the digest"),
        ("unchanged since signing", "unchanged"),
        ("valid but there have been edits", "valid, edits since"),
    ):
        if words in told:
            return short
    return "not valid"


def _qpdf(place: Path) -> str:
    return (
        "no errors"
        if "No syntax or stream encoding errors" in _run(place, "qpdf", "--check", "sealed.pdf")
        else "errors"
    )


def _openssl_cms(place: Path) -> str:
    options = ("-binary", "-cades", "-inform", "DER", "-in", "seal.der", "-content", "covered.bin")
    told = _run(place, "openssl", "cms", "-verify", *options, "-CAfile", "root.pem", "-purpose", "any", "-out", "out")
    return "verified" if "verification successful" in told.lower() else "not verified"


def _openssl_ts(place: Path) -> str:
    if not (place / "token.der").exists():
        return "-"
    options = ("-data", "value.bin", "-in", "token.der", "-token_in", "-CAfile", "root.pem")
    return "verified" if "Verification: OK" in _run(place, "openssl", "ts", "-verify", *options) else "not verified"


def _run(place: Path, *command: str) -> str:
    done = subprocess.run(command, cwd=place, capture_output=True, timeout=60, check=False)
    return (done.stdout + done.stderr).decode("utf-8", "replace")
