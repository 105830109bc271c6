"""Keys in a token: real confirmations sealed by SoftHSM2, and what happens when the token says no, or nothing."""

from __future__ import annotations

import io
import itertools
import os
import re
import shutil
import subprocess
import threading
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import batched
import enrolling
import hsm as hsms
import killing
import pytest
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from pki import entry_of
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko.sign.validation.dss import DocumentSecurityStore
from world import EMIRATES, World, sample

from signer.domain.batch import BatchState
from signer.domain.trust import Purpose
from signer.domain.verdict import Code
from signer.errors import KeyElsewhere, KeyUnavailable, Misconfigured, SignerError
from signer.register import parties
from signer.seal import algorithms, certificates, jws, service_key
from signer.seal.stores import outside
from signer.seal.stores.opening import Stores

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from signer.seal.certificates import Certificate
    from signer.seal.keys import SealKey

KINDS = {"p256": "", "p384": "", "rsa3072": "", "rsa3072-pss": "rsa-pss"}
COUNT_LOW, FINAL_TRY, LOCKED = 0x10000, 0x20000, 0x40000
_LABELS = itertools.count(1)


@pytest.fixture
def database() -> str:
    """Where the register is makes no difference to a token."""
    return "sqlite"


@pytest.fixture(scope="session")
def hsm(hsm: hsms.Hsm) -> hsms.Hsm:
    hsm.make_token("seals")
    return hsm


@pytest.fixture(scope="session")
def public_keys(hsm: hsms.Hsm) -> dict[str, Any]:
    """One key of each kind, made once: an RSA key of 3072 bits takes a second or two."""
    return {kind: hsm.make_key("seals", kind) for kind in ("p256", "p384", "rsa3072")}


@pytest.fixture
def lone(hsm: hsms.Hsm) -> str:
    """A token of one test, which may break it."""
    label = f"token {next(_LABELS)}"
    hsm.make_token(label)
    return label


def write(world: World, own: Certificate, *, token: str = "seals", key: str = "p256", **changes: object) -> str:
    """Describe a key in a token, its certificates beside it."""
    folder = world.folder / "keys"
    (folder / "token.pin").write_text(hsms.PIN)
    (folder / "token.crt.pem").write_bytes(enrolling.pem(own, enrolling.Issuer(folder).certificate))
    fields: dict[str, object] = {
        "store": "pkcs11",
        "module": hsms.MODULE,
        "token": token,
        "key_label": key,
        "pin_file": "token.pin",
        "certificate": "token.crt.pem",
    } | changes
    return enrolling.describe(world, "token", **{name: value for name, value in fields.items() if value != ""})


def sealed_by(world: World, public: Any, **described: object) -> Certificate:
    """Give the samples' second maker a seal in a token."""
    own = enrolling.Issuer(world.folder / "keys").certify(public, at=world.at)
    enrolling.enrol(world, own, write(world, own, **described))  # type: ignore[arg-type]
    return own


def stores_of(world: World) -> Stores:
    secret = (world.folder / "keys" / "password").read_bytes().strip()
    return Stores(world.folder / "keys", memory=world.folder / "pins", password=lambda: secret)


def opened(world: World) -> SealKey:
    return stores_of(world).open("token.key.toml", at=world.at)


def stock_says(world: World, pdf: bytes) -> None:
    """Ask pyHanko, strictly, with the revocation data of the file alone."""
    reader = PdfFileReader(io.BytesIO(pdf), strict=True)
    chain = [(world.folder / "keys" / name).read_bytes() for name in ("root-ca.crt.pem", "issuing-ca.crt.pem")]
    root, issuing = (asn1_x509.Certificate.load(_der(one)) for one in chain)
    context = DocumentSecurityStore.read_dss(reader).as_validation_context(
        {
            "trust_roots": [root],
            "other_certs": [issuing],
            "moment": world.at,
            "allow_fetching": False,
            "revocation_mode": "require",
        }
    )
    status = validate_pdf_signature(reader.embedded_signatures[0], context)
    assert status.bottom_line, status.pretty_print_details()


def _der(pem: bytes) -> bytes:
    return x509.load_pem_x509_certificate(pem).public_bytes(Encoding.DER)


def poppler_says(pdf: bytes, folder: Path) -> str:
    (folder / "sealed.pdf").write_bytes(pdf)
    command = ["pdfsig", "-nocert", str(folder / "sealed.pdf")]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


@pytest.mark.parametrize("kind", KINDS)
def test_a_confirmation_sealed_in_a_token_is_valid_to_everyone(
    world: World, public_keys: dict[str, Any], kind: str, tmp_path: Path
) -> None:
    label = kind.removesuffix("-pss")
    own = sealed_by(world, public_keys[label], key=label, scheme=KINDS[kind])
    pdf = world.issue(sample(EMIRATES), by=enrolling.MAKER).pdf
    verdict = world.verify(pdf)
    assert verdict.code is Code.VALID
    assert own.der.hex().upper().encode() in pdf
    stock_says(world, pdf)
    if shutil.which("pdfsig"):
        assert "Signature is Valid." in poppler_says(pdf, tmp_path)
        assert "Total document signed" in poppler_says(pdf, tmp_path)


@pytest.mark.parametrize(("kind", "scheme"), list(KINDS.items()))
def test_a_token_signs_by_exactly_one_scheme(world: World, public_keys: dict[str, Any], kind: str, scheme: str) -> None:
    label = kind.removesuffix("-pss")
    own = enrolling.Issuer(world.folder / "keys").certify(public_keys[label], at=world.at)
    write(world, own, key=label, scheme=scheme)
    known = opened(world).capabilities
    assert known.store == "pkcs11"
    assert (
        known.scheme
        == {
            "p256": algorithms.ECDSA_P256,
            "p384": algorithms.ECDSA_P384,
            "rsa3072": algorithms.RSA,
            "rsa3072-pss": algorithms.RSA_PSS,
        }[kind]
    )


def test_certificates_may_be_in_the_token(world: World, hsm: hsms.Hsm, lone: str) -> None:
    issuer = enrolling.Issuer(world.folder / "keys")
    own = issuer.certify(hsm.make_key(lone, "p256"), at=world.at)
    write(world, own, token=lone, certificate="")
    with pytest.raises(Misconfigured, match="no certificate with the key's id: name a PEM file"):
        opened(world)
    hsm.put_certificate(lone, own.der, key_id=b"6")
    hsm.put_certificate(lone, issuer.certificate.der, key_id=b"ca")
    key = opened(world)
    assert (key.certificate, key.chain) == (own, (issuer.certificate,))


# What a token may refuse


def test_a_wrong_pin_is_tried_once_and_by_nobody_again(world: World, hsm: hsms.Hsm, lone: str) -> None:
    own = enrolling.Issuer(world.folder / "keys").certify(hsm.make_key(lone, "p256"), at=world.at)
    write(world, own, token=lone)
    pin_file = world.folder / "keys" / "token.pin"
    pin_file.write_text("0000")
    with pytest.raises(KeyUnavailable, match=r"the PIN is wrong: put the right one into token\.pin"):
        opened(world)
    assert hsm.flags(lone) & COUNT_LOW
    hsm.set_flags(lone, FINAL_TRY)
    for _ in range(3):  # other workers: the token is not even asked, or it would refuse for its flags
        with pytest.raises(KeyUnavailable, match="tried once and is wrong; it is not tried again"):
            opened(world)
    (kept,) = (path for path in (world.folder / "pins").iterdir() if path.name not in ("lock", "salt"))
    assert re.fullmatch(r"[0-9a-f]{64}\n", kept.read_text())
    assert hsm.serial(lone) not in kept.name


def test_the_right_pin_works_once_its_file_says_it(world: World, hsm: hsms.Hsm, lone: str) -> None:
    own = enrolling.Issuer(world.folder / "keys").certify(hsm.make_key(lone, "p256"), at=world.at)
    write(world, own, token=lone)
    pin_file = world.folder / "keys" / "token.pin"
    pin_file.write_text("0000")
    with pytest.raises(KeyUnavailable, match="the PIN is wrong"):
        opened(world)
    pin_file.write_text(hsms.PIN)
    assert opened(world).sign_raw(b"x")
    assert not hsm.flags(lone) & COUNT_LOW
    assert {path.name for path in (world.folder / "pins").iterdir()} == {"lock", "salt"}


@pytest.mark.parametrize(
    ("flag", "says"),
    [
        (COUNT_LOW, "a wrong PIN was entered elsewhere, so none is tried: find out who"),
        (FINAL_TRY, "one more wrong PIN locks it, so none is tried: log in once"),
        (LOCKED, "the PIN is locked: have its officer unlock it"),
    ],
    ids=["low", "final", "locked"],
)
def test_no_pin_is_tried_where_a_token_warns(world: World, hsm: hsms.Hsm, lone: str, flag: int, says: str) -> None:
    own = enrolling.Issuer(world.folder / "keys").certify(hsm.make_key(lone, "p256"), at=world.at)
    write(world, own, token=lone)
    hsm.set_flags(lone, flag)
    with pytest.raises(KeyUnavailable, match=says):
        opened(world)
    assert not hsm.flags(lone) & (COUNT_LOW | FINAL_TRY | LOCKED) & ~flag


def test_two_processes_with_a_wrong_pin_try_it_once_between_them(world: World, hsm: hsms.Hsm, lone: str) -> None:
    own = enrolling.Issuer(world.folder / "keys").certify(hsm.make_key(lone, "p256"), at=world.at)
    write(world, own, token=lone)
    (world.folder / "keys" / "token.pin").write_text("0000")
    told: list[str] = []

    def work() -> None:
        try:
            opened(world)
        except KeyUnavailable as error:
            told.append(str(error))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted("tried once" in words for words in told) == [False, True, True, True]


def test_tokens_of_one_label_are_told_apart_by_their_serial_number(world: World, hsm: hsms.Hsm, lone: str) -> None:
    own = enrolling.Issuer(world.folder / "keys").certify(hsm.make_key(lone, "p256"), at=world.at)
    write(world, own, token=lone, serial=hsm.serial(lone))
    hsm.make_token(lone)
    assert opened(world).certificate == own
    write(world, own, token=lone)
    with pytest.raises(KeyUnavailable, match="2 tokens have this label: name its `serial`"):
        opened(world)


FAULTS: dict[str, tuple[dict[str, object], str]] = {
    "no such token": ({"token": "elsewhere"}, "no such token is there: is it plugged in"),
    "no such key": ({"key_label": "elsewhere"}, "no such private key is in the token: give `key_label`"),
    "two keys alike": ({"key_label": ""}, "keys are alike"),
    "no module": ({"module": "/nowhere.so"}, "cannot be loaded: is it installed here?"),
    "no PIN": ({"pin_file": "gone.pin"}, "gone.pin: No such file"),
    "no certificate file": ({"certificate": "gone.pem"}, "gone.pem: No such file"),
    "a key of another kind": ({"key_label": "p384"}, "the signature is not by the key|store's signature is not by"),
    "another key of the kind": ({"key_label": "rsa3072"}, "not of the kind that the certificate names"),
    "an unknown field": ({"pin": "2468"}, "pin: Extra inputs are not permitted"),
    "PSS of a key on a curve": ({"scheme": "rsa-pss"}, "asked of a key that is not RSA"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_each_fault_of_a_descriptor_is_named(world: World, public_keys: dict[str, Any], name: str) -> None:
    own = enrolling.Issuer(world.folder / "keys").certify(public_keys["p256"], at=world.at)
    changes, says = FAULTS[name]
    write(world, own, **changes)  # type: ignore[arg-type]
    with pytest.raises(SignerError, match=says) as caught:
        opened(world)
    assert hsms.PIN not in str(caught.value)


@pytest.mark.parametrize(
    ("certified", "says"),
    [
        ({"days": 1, "begins_in": -2}, "expired at .*: enrol a seal with a new one"),
        ({"begins_in": 2}, "not valid before .*: is the clock right?"),
        ({"usage": "key_encipherment"}, "its key usage allows neither"),
    ],
    ids=["expired", "not yet valid", "wrong usage"],
)
def test_a_certificate_that_does_not_serve_is_named(
    world: World, public_keys: dict[str, Any], certified: dict[str, Any], says: str
) -> None:
    own = enrolling.Issuer(world.folder / "keys").certify(public_keys["p256"], at=world.at, **certified)
    write(world, own)
    with pytest.raises(SignerError, match=says):
        opened(world)


def test_a_chain_without_its_authority_costs_no_number(world: World, public_keys: dict[str, Any]) -> None:
    own = sealed_by(world, public_keys["p256"])
    (world.folder / "keys" / "token.crt.pem").write_bytes(enrolling.pem(own))
    with pytest.raises(Misconfigured, match=r"the chain is incomplete: put the certificate of .* beside the key"):
        world.issue(sample(EMIRATES), by=enrolling.MAKER)
    assert world.rows("SELECT number FROM confirmations") == []


def test_a_key_too_small_is_refused(world: World, hsm: hsms.Hsm, lone: str) -> None:
    own = enrolling.Issuer(world.folder / "keys").certify(hsm.make_key(lone, "rsa1024"), at=world.at)
    write(world, own, token=lone, key="rsa1024")
    with pytest.raises(Misconfigured, match=r"an RSA key of 1024 bits; 2048 to 4096 seal|2048 to 8192 count"):
        opened(world)


# What a token may do in the middle


def _gone(world: World, hsm: hsms.Hsm, label: str) -> Callable[[], None]:
    away = hsm.unplug(label)
    return lambda: hsm.plug(away)


def test_a_token_that_is_gone_in_the_middle_of_a_batch_seals_nothing_by_half(
    world: World, hsm: hsms.Hsm, lone: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sealed_by(world, hsm.make_key(lone, "p256"), token=lone)
    first = world.issue(sample(EMIRATES), by=enrolling.MAKER)
    box, kept, plug = world.services.issuing._seals, type(world.services.issuing._seals).seal, []

    def unplugged(*given: Any, **more: Any) -> Any:
        plug.append(_gone(world, hsm, lone))
        return kept(box, *given, **more)

    monkeypatch.setattr(box, "seal", unplugged)
    plain = sample(EMIRATES)
    plain["supersedes"] = str(first.number)
    with pytest.raises(KeyUnavailable, match=r"the session was lost .* could not be opened anew") as caught:
        world.issue(plain, by=enrolling.MAKER)
    plug[0]()
    assert "abandoned" in "".join(caught.value.__notes__)
    assert sorted(row[0] for row in world.rows("SELECT standing FROM confirmations")) == ["abandoned", "issued"]
    assert world.verify(first.pdf).code is Code.VALID
    monkeypatch.setattr(box, "seal", lambda *given, **more: kept(box, *given, **more))
    assert world.verify(world.issue(plain, by=enrolling.MAKER).pdf).code is Code.VALID


def test_a_lost_session_is_opened_anew_once(world: World, public_keys: dict[str, Any], hsm: hsms.Hsm) -> None:
    own = enrolling.Issuer(world.folder / "keys").certify(public_keys["p256"], at=world.at)
    write(world, own)
    key = opened(world)
    hsm.module().reinitialize()  # what every session of the process does not survive
    assert outside.fits(key.sign_raw(b"x"), b"x", certificate=own, scheme=algorithms.ECDSA_P256)


def test_two_keys_in_one_token_share_its_session_also_when_it_is_lost(
    world: World, public_keys: dict[str, Any], hsm: hsms.Hsm
) -> None:
    stores, issuer, opened_keys = stores_of(world), enrolling.Issuer(world.folder / "keys"), []
    for kind in ("p256", "p384"):
        own = issuer.certify(public_keys[kind], at=world.at)
        (world.folder / "keys" / f"{kind}.pem").write_bytes(enrolling.pem(own, issuer.certificate))
        name = write(world, own, key=kind, certificate=f"{kind}.pem")
        (world.folder / "keys" / name).rename(world.folder / "keys" / f"{kind}.key.toml")
        opened_keys.append(stores.open(f"{kind}.key.toml", at=world.at))
    hsm.module().reinitialize()
    for key in (*opened_keys, *opened_keys):
        assert outside.fits(key.sign_raw(b"x"), b"x", certificate=key.certificate, scheme=key.capabilities.scheme)


def test_a_key_is_not_asked_by_a_process_that_inherited_it(world: World, public_keys: dict[str, Any]) -> None:
    own = enrolling.Issuer(world.folder / "keys").certify(public_keys["p256"], at=world.at)
    write(world, own)
    key = opened(world)
    assert in_a_child(lambda: _refuses(key))
    assert in_a_child(lambda: bool(opened(world).sign_raw(b"x")))
    assert key.sign_raw(b"x")


def _refuses(key: SealKey) -> bool:
    try:
        key.sign_raw(b"x")
    except KeyElsewhere as error:
        return "open it anew after the fork" in str(error)
    return False


def in_a_child(action: Callable[[], bool]) -> bool:
    child = os.fork()
    if child == 0:
        os._exit(0 if action() else 1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_a_number_left_pending_waits_for_its_token_and_is_finished(
    world: World, hsm: hsms.Hsm, lone: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sealed_by(world, hsm.make_key(lone, "p256"), token=lone)
    with monkeypatch.context() as patched:
        patched.setattr(world.services.issuing._seals, "seal", _interrupted)
        with pytest.raises(KeyboardInterrupt):
            world.issue(sample(EMIRATES), by=enrolling.MAKER)
    world.at += timedelta(minutes=11)
    away = hsm.unplug(lone)
    (waiting,) = world.services.maintaining.settle()
    hsm.plug(away)
    assert (waiting.outcome, "could not be opened anew" in waiting.reason) == ("waiting", True)
    assert [settled.outcome for settled in world.services.maintaining.settle()] == ["finished"]
    assert world.rows("SELECT standing FROM confirmations") == [("issued",)]


def test_a_token_that_is_gone_halts_a_batch_uses_up_no_number_and_is_not_missed_once_it_is_back(
    world: World, hsm: hsms.Hsm, lone: str
) -> None:
    hsm.seal_in(world, lone)
    ref = batched.approved(world, batched.drafts(3, name=EMIRATES), asked=batched.THEIRS)
    away: list[Path] = []
    batched.interrupted(world, ref, "recorded", lambda *_: away.append(hsm.unplug(lone)))
    assert batched.state(world, ref, asked=batched.THEIRS) == (BatchState.HALTED, 1, 0)
    world.at += timedelta(minutes=1)
    world.services.working.run_due()
    stands = sorted(world.rows("SELECT standing, count(*) FROM confirmations GROUP BY standing"))
    assert (batched.state(world, ref, asked=batched.THEIRS), stands) == (
        (BatchState.HALTED, 1, 0),
        [("issued", 1), ("pending", 1)],
    )
    hsm.plug(away[0])
    batched.finish(world, ref, asked=batched.THEIRS)
    assert killing.accounts(world) == {"issued": 3}
    batched.accounts(world)


def _interrupted(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


def test_a_seal_box_that_was_inherited_opens_its_own_keys(world: World, public_keys: dict[str, Any]) -> None:
    own = sealed_by(world, public_keys["p256"])
    box = world.services.issuing._seals
    with world.services.database.read() as tx:
        tenant = parties.tenant(tx, enrolling.USCC)
        seal = parties.seals_of(tx, scope=tenant.scope, at=world.at)[0]
    assert seal.certificate_digest == own.digest
    inherited = box._key(seal, at=world.at)
    assert in_a_child(lambda: box._key(seal, at=world.at).sign_raw(b"x") != b"" and _refuses(inherited))
    assert box._key(seal, at=world.at) is inherited


# What an operator sees


def test_keys_check_tells_that_a_token_serves(world: World, public_keys: dict[str, Any]) -> None:
    own = sealed_by(world, public_keys["p384"], key="p384")
    (world.folder / "keys" / "token.pin").chmod(0o604)
    checked = {one.key_ref: one for one in world.services.key_checks.check()}
    found = {one.part: (one.health, one.detail) for one in checked["token.key.toml"].found}
    assert checked["token.key.toml"].is_fit
    assert len(checked) == 8, "with a key for paper and one for status lists"
    assert found["store"] == ("ok", "pkcs11 opens, ecdsa-p384 with sha384")
    assert found["secrets"][0] == "warning"
    assert "chmod 600" in found["secrets"][1]
    assert found["validity"][1].startswith("999 days left")
    assert {part for part, (health, _) in found.items() if health == "ok"} == {
        "store",
        "usage",
        "validity",
        "chain",
        "trial",
    }
    (one,) = world.services.key_checks.check(own.digest[:12])
    assert one.key_ref == "token.key.toml"
    world.at += timedelta(days=970)
    (late,) = world.services.key_checks.check("token.key.toml")
    assert {found.part: found.health for found in late.found}["validity"] == "warning"


def test_the_doctor_says_what_keys_check_says(world: World, public_keys: dict[str, Any]) -> None:
    own = sealed_by(world, public_keys["p256"])
    (world.folder / "keys" / "token.crt.pem").write_bytes(enrolling.pem(own))
    told = [one for one in world.services.doctor.examine() if own.digest[:16] in one.part and one.health == "error"]
    assert ["the chain is incomplete" in one.detail for one in told] == [True]


def test_a_trial_can_be_taken_for_nothing_that_a_seal_signs() -> None:
    assert outside.TRIAL[0] not in (0x30, 0x31, ord("%"))
    assert certificates.TEST_POLICY_OID.encode() not in outside.TRIAL


def test_a_key_in_a_token_signs_for_the_service(world: World, public_keys: dict[str, Any]) -> None:
    keys = world.folder / "keys"
    own = enrolling.Issuer(keys).certify(public_keys["p256"], at=world.at, usage="digital_signature")
    (keys / write(world, own)).rename(keys / "receipt.key.toml")
    (keys / "receipt.pem").unlink()
    entries = world.services.trust.current(world.at).entries
    world.publish(entries=(*entries, entry_of(Purpose.RECEIPT, own, "TEST receipts in a token")))
    key = world.services.service_keys.open(Purpose.RECEIPT)
    assert (key.key.capabilities.store, key.entry.certificate_digest) == ("pkcs11", own.digest)
    token = jws.parse(key.sign(b"{}", typ="t"), typ="t", field="token", most_bytes=1000)
    assert token.is_by(service_key.public_key(key.entry))
