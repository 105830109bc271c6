"""Seal by each kind of key at each level, ask six programs, and write the table of docs/reference/interop.md."""

from __future__ import annotations

import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

HERE = Path(__file__).resolve()
ROOT = HERE.parent.parent.parent.parent
sys.path[:0] = [str(HERE.parent), str(ROOT / "tests")]

import pki as pkis  # noqa: E402 -- the path is set above
import readers  # noqa: E402

from signer.seal import algorithms, archive, certificates, keys, sign  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = ROOT / "docs" / "reference" / "interop.md"
BEGIN, END = "<!-- measured: begin -->\n", "<!-- measured: end -->\n"
KINDS = {"ECDSA P-256": "hengyuan", "ECDSA P-384": "p384", "RSA 3072": "rsa", "RSA 3072, PSS": "rsa"}
LEVELS = ("B-B", "B-T", "B-LT", "B-LTA")


def sealed_files(world: pkis.World, at: datetime) -> Iterator[tuple[str, str, bytes]]:
    """Give (kind of key, level, file) for every kind and level."""
    for kind, maker in KINDS.items():
        key = world.keys[maker]
        if kind.endswith("PSS"):
            key = keys.FileKey(key._key, key.certificate, key.chain, scheme=algorithms.RSA_PSS)
        for level in LEVELS:
            yield kind, level, _sealed(world, key, maker, level, at)


def _sealed(world: pkis.World, key: keys.SealKey, maker: str, level: str, at: datetime) -> bytes:
    timestamper = None if level == "B-B" else world.timestamper(at)
    evidence = world.evidence(maker, at) if level in ("B-LT", "B-LTA") else None
    made = sign.seal(pkis.blank_pdf(), key=key, timestamper=timestamper, at=at, evidence=evidence)
    if level != "B-LTA":
        assert made.level == level
        return made.pdf
    longer = archive.extend(
        made.pdf, sealed_length=made.sealed_length, timestamper=timestamper, evidence=evidence, at=at
    )
    return longer.pdf


class Today(pkis.World):
    """A PKI that is valid now: other programs ask the clock of this machine."""

    def __init__(self, folder: Path, at: datetime) -> None:
        lines = [line for line in pkis.DESCRIPTION.splitlines(keepends=True) if "id: short" not in line]
        described = pkis.pki.read_description("".join(lines).encode())
        super().__init__(pkis.pki.make_pki(folder, described, at=at))
        opened = {maker.id: keys.load(maker.key_file, password=self.made.password, at=at) for maker in self.made.makers}
        self.__dict__.update(trust=pkis.trust_list_of(self.made, at=at), keys=opened)
        tsa, usage = self.made.tsa_key_file, certificates.tsa_usage_fault
        self.__dict__["tsa_key"] = keys.load(tsa, password=self.made.password, at=at, usage_fault=usage)
        self.__dict__["authority_keys"] = tuple(
            keys.load(path, password=self.made.password, at=at, usage_fault=certificates.authority_usage_fault)
            for path in self.made.authority_key_files
        )


def measure() -> str:
    """Return the table."""
    at = datetime.now(UTC).replace(microsecond=0)
    lines = [
        f"| key | level | {' | '.join(readers.READERS)} |",
        f"| --- | --- | {' | '.join('---' for _ in readers.READERS)} |",
    ]
    with tempfile.TemporaryDirectory() as folder:
        made = Today(Path(folder) / "pki", at)
        root = made.made.root
        for kind, level, pdf in sealed_files(made, at):
            told = readers.ask_all(pdf, _pem(root.der), root.der, at=at)
            lines.append(f"| {kind} | {level} | {' | '.join(told[reader] for reader in readers.READERS)} |")
    return "\n".join(lines) + "\n"


def _pem(der: bytes) -> bytes:
    from cryptography import x509  # noqa: PLC0415 -- the only use
    from cryptography.hazmat.primitives.serialization import Encoding  # noqa: PLC0415

    return x509.load_der_x509_certificate(der).public_bytes(Encoding.PEM)


def documented() -> str:
    """Return the table as the page has it."""
    return PAGE.read_text(encoding="utf-8").split(BEGIN)[1].split(END)[0]


if __name__ == "__main__":
    before, after = PAGE.read_text(encoding="utf-8").split(BEGIN)[0], PAGE.read_text(encoding="utf-8").split(END)[1]
    PAGE.write_text(before + BEGIN + measure() + END + after, encoding="utf-8")
