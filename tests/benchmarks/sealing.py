"""Sealing by other keys: RSA beside stock pyHanko, a token beside the same key in a file, and the bare signature."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import subprocess
import tempfile
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import cases
import hsm as hsms
import pki as pkis
from cases import Case
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric import rsa as rsa_keys

from signer.domain import content
from signer.seal import pki, sign, validate
from signer.seal.stores.opening import Stores

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from signer.seal.certificates import Certificate
    from signer.seal.keys import FileKey, SealKey
    from signer.seal.revocation import Evidence

_PIN = "2468"
_BATCH = 200


class _Bench:
    """One page, one PKI, one authority."""

    def __init__(self) -> None:
        folder = Path(tempfile.mkdtemp(prefix="bench-"))
        record = cases._confirmations(folder / "world")["small"]
        self.pdf = cases._renderer().render(record, encoded=content.encode(record), base_url=cases.BASE_URL)
        self.folder = folder
        self.world = pkis.make_world(folder / "pki")
        self._timestamper = self.world.timestamper()

    def sealing(self, key: SealKey, evidence: Callable[[Certificate | None], Evidence]) -> bytes:
        return sign.seal(self.pdf, key=key, timestamper=self._timestamper, at=pkis.AT, evidence=evidence).pdf


def all_cases() -> Iterator[Case]:
    bench = _Bench()
    rsa, p256 = bench.world.keys["rsa"], bench.world.keys["hengyuan"]
    stock = cases._Stock(bench.world, "rsa")
    ours = partial(bench.sealing, rsa, bench.world.evidence("rsa"))
    assert validate.validate(ours(), bench.world.trust, pkis.AT).level == "B-LT"
    yield Case(
        name="seal.b_lt.rsa3072",
        ours=ours,
        peer=partial(stock.seal, bench.pdf),
        peer_name="stock pyHanko, as for P-256: it parses and checks the RSA key in each call",
        target=40,
    )
    yield from _token(bench, p256)
    yield from _pdfsig(bench, rsa, ours)
    yield _processes(bench)
    plain_p256, plain_rsa, digest = p256._key, rsa._key, hashes.SHA256()
    assert isinstance(plain_p256, ec.EllipticCurvePrivateKey)
    assert isinstance(plain_rsa, rsa_keys.RSAPrivateKey)
    yield _raw("p256", p256, lambda: plain_p256.sign(b"x", ec.ECDSA(digest)))
    yield _raw("rsa3072", rsa, lambda: plain_rsa.sign(b"x", padding.PKCS1v15(), digest))


def _pdfsig(bench: _Bench, key: FileKey, ours: Callable[[], bytes]) -> Iterator[Case]:
    """Seal with poppler's program, where libnss3-tools can hand it the key: no timestamp, no revocation data."""
    if not shutil.which("pk12util"):
        return
    store, page, out = (str(bench.folder / name) for name in ("nss", "plain.pdf", "pdfsig.pdf"))
    Path(store).mkdir()
    chain = (key.certificate.parsed, *(member.parsed for member in key.chain))
    (bench.folder / "rsa.p12").write_bytes(pki.pkcs12_of(key._key, chain, password=b"bench"))
    Path(page).write_bytes(pkis.blank_pdf())
    for command in (
        ("certutil", "-N", "-d", f"sql:{store}", "--empty-password"),
        ("pk12util", "-i", str(bench.folder / "rsa.p12"), "-d", f"sql:{store}", "-W", "bench", "-K", ""),
    ):
        subprocess.run(command, check=True, capture_output=True)
    signing = ("pdfsig", "-nssdir", f"sql:{store}", "-nss-pwd", "", "-nick", "seal", "-add-signature", page, out)
    yield Case(
        name="seal.pdfsig.rsa3072",
        ours=ours,
        peer=lambda: subprocess.run(signing, check=True, capture_output=True),
        peer_name="pdfsig -add-signature: a process for each file, B-B only, one blank page (ours: B-LT)",
    )


def _token(bench: _Bench, key: FileKey) -> Iterator[Case]:
    if not hsms.MODULE:
        return
    in_token = _put_into_token(bench, key)
    evidence = bench.world.evidence("hengyuan")
    assert validate.validate(bench.sealing(in_token, evidence), bench.world.trust, pkis.AT).level == "B-LT"
    yield Case(
        name="seal.b_lt.softhsm",
        ours=partial(bench.sealing, in_token, evidence),
        peer=partial(bench.sealing, key, evidence),
        peer_name="the same P-256 key in a file",
        target=0.5,
    )
    yield Case(
        name="seal.raw.softhsm",
        ours=lambda: in_token.sign_raw(b"x"),
        peer=lambda: key.sign_raw(b"x"),
        peer_name="the same P-256 key in a file",
    )


def _put_into_token(bench: _Bench, key: FileKey) -> SealKey:
    """Import a key into SoftHSM2, and open it there with its own certificate."""
    hsm = hsms.start(bench.folder)
    hsm.make_token("bench")
    plain = bench.folder / "plain.pem"
    plain.touch(0o600)
    pkcs8 = serialization.PrivateFormat.PKCS8
    plain.write_bytes(key._key.private_bytes(serialization.Encoding.PEM, pkcs8, serialization.NoEncryption()))
    where = ["--import", str(plain), "--token", "bench", "--label", "seal", "--id", "01", "--pin", _PIN]
    subprocess.run(["softhsm2-util", *where], check=True, capture_output=True, env=dict(os.environ))
    plain.unlink()
    hsm.module().reinitialize()
    keys = bench.world.made.folder
    members = (key.certificate, *key.chain)
    (keys / "bench.pem").write_bytes(b"".join(one.parsed.public_bytes(serialization.Encoding.PEM) for one in members))
    (keys / "bench.pin").write_text(_PIN, encoding="ascii")
    (keys / "bench.key.toml").write_text(
        f'store = "pkcs11"\nmodule = "{hsms.MODULE}"\ntoken = "bench"\nkey_label = "seal"\n'
        'pin_file = "bench.pin"\ncertificate = "bench.pem"\n',
        encoding="utf-8",
    )
    stores = Stores(keys, memory=bench.folder / "pins", password=lambda: bench.world.made.password)
    return stores.open("bench.key.toml", at=pkis.AT)


def _raw(name: str, key: FileKey, peer: Callable[[], bytes]) -> Case:
    return Case(
        name=f"seal.raw.{name}",
        ours=lambda: key.sign_raw(b"x"),
        peer=peer,
        peer_name="cryptography alone: what lock and process check cost",
    )


def _processes(bench: _Bench) -> Case:
    """Seal a batch in two processes, each with a key of its own, and the same batch in one."""
    (bench.folder / "page.pdf").write_bytes(bench.pdf)
    pool = ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn"))
    batch = partial(_batch, bench.folder)

    def in_turn(*sizes: int) -> list[int]:
        return [made.result() for made in [pool.submit(batch, size) for size in sizes]]

    in_turn(1, 1, 1, 1)
    return Case(
        name="seal.processes",
        ours=partial(in_turn, _BATCH // 2, _BATCH // 2),
        peer=partial(in_turn, _BATCH),
        peer_name=f"one process; {_BATCH} files each",
        target=1.8,
    )


_opened: dict[Path, Callable[[], object]] = {}
"""How a process of the pool seals one file: opened once, as a worker does."""


def _batch(folder: Path, size: int) -> int:
    if folder not in _opened:
        pdf, world = (folder / "page.pdf").read_bytes(), pkis.make_world(folder / "pki")
        stamper, evidence = world.timestamper(), world.evidence("hengyuan")
        given = {"key": world.keys["hengyuan"], "timestamper": stamper, "at": pkis.AT, "evidence": evidence}
        _opened[folder] = partial(sign.seal, pdf, **given)
    for _ in range(size):
        _opened[folder]()
    return size
