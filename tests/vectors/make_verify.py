"""
Write the vectors of verification: `python tests/vectors/make_verify.py`, some ten seconds.

Unlike the other vectors these cannot be made again as they are: every key is drawn anew, used, and thrown away, so that
nobody can ever sign with one. What each answer must be is written by hand in `verify_cases.py`; this script refuses to
write anything if our verifier gives another.
"""

from __future__ import annotations

import base64
import json
import shutil
import sys
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import run_verify  # noqa: E402 - found through the folder above
import verify_bench as benches  # noqa: E402
import verify_cases  # noqa: E402
import verify_files  # noqa: E402
import verify_with_signer  # noqa: E402
from cryptography import x509  # noqa: E402
from cryptography.hazmat.primitives import hashes, serialization  # noqa: E402
from cryptography.hazmat.primitives.asymmetric import ec  # noqa: E402

from signer.domain import bundle  # noqa: E402
from signer.domain.bundle import Counts, Header  # noqa: E402
from signer.domain.trust import Purpose, TrustEntry  # noqa: E402
from signer.seal import bundle as signed  # noqa: E402
from signer.seal import jws  # noqa: E402
from signer.seal.certificates import Certificate  # noqa: E402
from signer.seal.validate import validate  # noqa: E402

if TYPE_CHECKING:
    from verify_bench import Bench, Case

FOLDER = HERE / "verify"
SCHEMA = "signer.vectors.verify/1"
KEPT = ("code", "outcome", "subject", "test", "would_be", "reason", "number", "proven_at", "proven_by")
"""What is expected of an answer, beside parts, coverage and seal report. Texts are each verifier's own."""
WHOLE = (*KEPT, "parts", "coverage", "seal_report")


def expected(answer: dict[str, Any]) -> dict[str, Any]:
    """Return of an answer what every verifier must say alike, and the state of every check of the seal."""
    return {key: answer[key] for key in WHOLE}


class Production:
    """A list and a bundle that are not TEST, by keys of their own: a TEST seal is a stranger there."""

    def __init__(self, bench: Bench) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Example bundles")])
        usage = dict.fromkeys(
            (
                "content_commitment",
                "key_encipherment",
                "data_encipherment",
                "key_agreement",
                "key_cert_sign",
                "crl_sign",
                "encipher_only",
                "decipher_only",
            ),
            False,
        )
        made = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(self._key.public_key())
            .serial_number(1)
            .not_valid_before(benches.AT - benches.DAY)
            .not_valid_after(benches.AT + timedelta(days=3650))
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.KeyUsage(digital_signature=True, **usage), critical=True)
            .sign(self._key, hashes.SHA256())
        )
        own = Certificate(made.public_bytes(serialization.Encoding.DER))
        entry = TrustEntry(
            purpose=Purpose.BUNDLE,
            legal_name="Example authority",
            certificate=base64.b64encode(own.der).decode(),
            certificate_digest=own.digest,
            from_at=benches.AT - benches.DAY,
        )
        bench.publish("production", entries=(entry,), test=False, origin="Example authority")
        self._list = bench.lists["production"]

    def bundle(self, at: Any) -> list[Any]:
        """Sign a bundle without any record."""
        body = self._list.encode() + b"\n"
        header = Header(
            origin="Example authority",
            test=False,
            trust_list=1,
            complete_until=at,
            expires=at + 7 * benches.DAY,
            counts=Counts(revocations=0, seals=0, records=0),
            size=len(body),
            sha256=benches.hashlib.sha256(body).hexdigest(),
        )
        encoded = bundle.encode(header)
        token = jws.sign_detached(
            encoded, sign_raw=jws.raw_signer(self._key), typ=signed.TYPE, kid=jws.kid_of(self._key.public_key())
        )
        return [encoded.decode(), token.decode(), {"list": "production"}]


def plain(case: Case, bench: Bench, made: dict[str, bytes], production: Production) -> dict[str, Any]:
    """Return a case as it is published, without the answer."""
    base = made[case.file]
    if case.appended:
        edits: list[dict[str, Any]] = [
            {"at": len(base), "insert": base64.b64encode(b" ").decode(), "times": case.appended}
        ]
    else:
        edits = [] if case.made is None else benches.edits(base, case.made)
    records = (bench.filed(*_own(case, made)),) if case.records is None else case.records
    told = case.told or case.at
    is_production = case.mode == "production"
    lines = production.bundle(told) if is_production else bench.bundle(case.list, *records, at=told, **case.more)
    question = {**({"vins": list(case.vins)} if case.vins else {}), **case.question}
    return {
        "name": case.name,
        "says": case.says,
        "file": case.file,
        "edits": edits,
        "bundle": lines,
        "at": f"{case.at:%Y-%m-%dT%H:%M:%SZ}",
        "mode": case.mode,
        "question": question,
    }


def _own(case: Case, made: dict[str, bytes]) -> tuple[bytes, ...]:
    return (made[case.file],) if case.file in made else ()


def answered(published: dict[str, Any], whole: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Return our answer to a case."""
    return verify_with_signer.answer(
        run_verify.file_of(published, folder),
        {"at": published["at"], "mode": published["mode"], **published["question"]},
        bundle=run_verify.bundle_of(published, whole),
        root=run_verify.root_of(whole).encode(),
        judge=validate,
    )


def fault(case: Case, answer: dict[str, Any]) -> str:
    """Return how our answer differs from the one that was written by hand, or ''."""
    reason = case.reason if case.reason != "*" else answer["reason"]
    if (answer["code"], answer["reason"]) == (case.code.value, reason):
        return ""
    states = [
        f"{one['id']} {one['state']} {one['sub_indication']}" for one in answer["checks"] if one["state"] != "passed"
    ]
    return f"{case.name}: {case.code.value} {reason} expected, {answer['code']} {answer['reason']} answered: {states}"


def make(folder: Path) -> dict[str, Any]:
    """Make everything anew; write the base files into a folder and return what goes into cases.json."""
    with tempfile.TemporaryDirectory() as scratch:
        bench = benches.Bench(Path(scratch))
        made = verify_files.files(bench)
        verify_files.lists(bench)
        production = Production(bench)
        for name, data in made.items():
            (folder / name).write_bytes(data)
        whole: dict[str, Any] = {"schema": SCHEMA, "root": bench.root, "lists": bench.lists, "cases": []}
        faults: list[str] = []
        for case in verify_cases.cases(bench, made):
            published = plain(case, bench, made, production)
            answer = answered(published, whole, folder)
            faults.append(fault(case, answer))
            published["expected"] = expected(answer)
            whole["cases"].append(published)
        bench.world.services.database.close()
    if any(faults):
        raise SystemExit("\n".join(filter(None, faults)))
    return whole


def main() -> None:
    """Replace the published vectors."""
    with tempfile.TemporaryDirectory() as scratch:
        whole = make(Path(scratch))
        text = json.dumps(whole, ensure_ascii=False, indent=1)
        (Path(scratch) / "cases.json").write_text(text + "\n", encoding="utf-8")
        shutil.rmtree(FOLDER, ignore_errors=True)
        shutil.copytree(scratch, FOLDER)
    codes = sorted({case["expected"]["code"] for case in whole["cases"]})
    size = sum(path.stat().st_size for path in FOLDER.iterdir())
    sys.stdout.write(f"{len(whole['cases'])} cases, {size} bytes, codes: {', '.join(codes)}\n")


if __name__ == "__main__":
    main()
