"""Every scheme seals and is verified; keys belong to one process and one thread at a time; old files are named."""

from __future__ import annotations

import hashlib
import os
import shlex
import shutil
import signal
import subprocess
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from asn1crypto import core, tsp
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import PrivateFormat, pkcs12

from signer.errors import KeyElsewhere, KeyUnavailable, Misconfigured
from signer.seal import algorithms, certificates, cms, der, keys, pki, sign, timestamp
from signer.seal.stores import descriptor, outside
from signer.seal.stores.opening import Stores
from signer.seal.stores.pins import Pins
from tests.pki import AT, World
from tests.unit.seal.test_cms import is_good, judged, value
from tests.unit.seal.test_keys_and_names import PASSWORD, certificate

if TYPE_CHECKING:
    from signer.seal.algorithms import Scheme

EXAMPLES = Path(__file__).resolve().parents[3] / "keys.example"


def _pss_key(world: World) -> keys.FileKey:
    known = world.keys["rsa"]
    return keys.FileKey(known._key, known.certificate, known.chain, scheme=algorithms.RSA_PSS)


def test_a_seal_by_rsa_pss_counts_and_says_so(world: World, page: bytes) -> None:
    made = sign.seal(page, key=_pss_key(world), timestamper=None, at=AT)
    signed = cms.read(value(made.pdf), content_type=cms.DATA)
    assert signed.signature_algorithm == algorithms.PSS_SHA256
    assert signed.digest_algorithm == algorithms.SHA256
    assert is_good(judged(world, made.pdf))


def test_a_seal_on_p384_has_sha384_throughout(world: World, page: bytes) -> None:
    made = sign.seal(page, key=world.keys["p384"], timestamper=world.timestamper(), at=AT)
    signed = cms.read(value(made.pdf), content_type=cms.DATA)
    assert signed.signature_algorithm == algorithms.ECDSA_SHA384
    assert signed.digest_algorithm == algorithms.SHA384
    assert len(signed.signed[cms.MESSAGE_DIGEST]) == 2 + 48
    assert is_good(judged(world, made.pdf))


@pytest.mark.parametrize("maker", ["hengyuan", "p384", "rsa", "pss"])
def test_a_scheme_is_the_one_that_it_says(world: World, maker: str) -> None:
    key = _pss_key(world) if maker == "pss" else world.keys[maker]
    signature, known = key.sign_raw(b"x"), key.capabilities.scheme
    assert outside.fits(signature, b"x", certificate=key.certificate, scheme=known)
    assert not outside.fits(signature, b"y", certificate=key.certificate, scheme=known)
    identifiers = {"digest": known.digest_identifier, "signature": known.signature_identifier}
    assert not algorithms.fault(**identifiers, certificate=key.certificate.parsed)
    assert len(signature) <= algorithms.most_signature_bytes(key.certificate.parsed)


@pytest.mark.parametrize(
    ("key", "says"),
    [
        (rsa.generate_private_key(65537, 1024), "1024 bits; 2048 to"),
        (ec.generate_private_key(ec.SECP521R1()), "secp521r1 is not P-256 or P-384"),
        (ed25519.Ed25519PrivateKey.generate(), "Ed25519 and Ed448 fail in poppler"),
    ],
    ids=["small", "p521", "ed25519"],
)
def test_what_does_not_seal_is_refused_with_the_reason(key: Any, says: str, tmp_path: Path) -> None:
    encryption = serialization.BestAvailableEncryption(PASSWORD)
    signer = None if isinstance(key, ed25519.Ed25519PrivateKey) else key
    pem = key.private_bytes(serialization.Encoding.PEM, PrivateFormat.PKCS8, encryption)
    own = certificate(key=signer) if signer else certificate()
    (tmp_path / "key.pem").write_bytes(pem + own.public_bytes(serialization.Encoding.PEM))
    with pytest.raises(Misconfigured, match=says):
        keys.load(tmp_path / "key.pem", password=PASSWORD, at=AT)


def test_pss_of_a_key_on_a_curve_is_refused() -> None:
    with pytest.raises(ValueError, match="not RSA"):
        algorithms.scheme_of(certificate(), is_pss=True)


# Old files


@pytest.mark.parametrize(("option", "cipher"), [("PBE-SHA1-3DES", "3DES"), ("PBE-SHA1-RC2-40", "RC2-40")])
def test_a_pkcs12_file_of_an_old_cipher_is_named_with_the_way_out(option: str, cipher: str, tmp_path: Path) -> None:
    assert shutil.which("openssl")
    key = ec.generate_private_key(ec.SECP256R1())
    (tmp_path / "plain.pem").write_bytes(pki.pem_of(key, (certificate(key=key),), password=PASSWORD))
    command = ["openssl", "pkcs12", "-export", "-legacy", "-in", "plain.pem", "-out", "old.p12", "-keypbe", option]
    secrets = ["-certpbe", option, "-passin", f"pass:{PASSWORD.decode()}", "-passout", f"pass:{PASSWORD.decode()}"]
    subprocess.run([*command, *secrets], cwd=tmp_path, check=True, capture_output=True)
    with pytest.raises(Misconfigured, match=f"encrypted by {cipher}, .* make a PEM file of it, .*: `openssl") as caught:
        keys.load(tmp_path / "old.p12", password=PASSWORD, at=AT)
    way_out = shlex.split(str(caught.value).split("`")[1])
    given = f"pass:{PASSWORD.decode()}"
    subprocess.run([*way_out, "-passin", given, "-passout", given], cwd=tmp_path, check=True, capture_output=True)
    assert keys.load(tmp_path / "old.pem", password=PASSWORD, at=AT).sign_raw(b"x")


def test_a_file_of_3des_by_another_library_is_named_too(tmp_path: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    encryption = (
        PrivateFormat.PKCS12.encryption_builder()
        .kdf_rounds(2000)
        .key_cert_algorithm(pkcs12.PBES.PBESv1SHA1And3KeyTripleDESCBC)
        .hmac_hash(hashes.SHA1())
        .build(PASSWORD)
    )
    whole = pkcs12.serialize_key_and_certificates(b"x", key, certificate(key=key), None, encryption)
    (tmp_path / "old.p12").write_bytes(whole)
    with pytest.raises(Misconfigured, match="encrypted by 3DES, which protects no key any more"):
        keys.load(tmp_path / "old.p12", password=PASSWORD, at=AT)


# One process, one thread at a time


class _Slow(keys.Held):
    """A key that would notice two threads in it."""

    inside = 0
    most = 0

    def _sign(self, data: bytes) -> bytes:
        type(self).inside += 1
        type(self).most = max(self.most, self.inside)
        time.sleep(0.002)
        type(self).inside -= 1
        return data


def test_two_threads_are_never_in_one_key(world: World) -> None:
    known = world.keys["hengyuan"]
    key = _Slow(known.certificate, (), capabilities=known.capabilities)
    threads = [threading.Thread(target=lambda: [key.sign_raw(b"x") for _ in range(5)]) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert _Slow.most == 1


def test_a_process_that_inherited_a_key_is_refused_even_while_it_is_in_use(world: World) -> None:
    key = world.keys["hengyuan"]
    with key._lock:  # what another thread may hold at the moment of the fork
        child = os.fork()
        if child == 0:
            signal.alarm(5)  # rather dead than waiting for ever
            try:
                key.sign_raw(b"x")
            except KeyElsewhere:
                os._exit(7)
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    assert key.sign_raw(b"x")


def test_every_store_is_guarded_because_none_writes_sign_raw() -> None:
    todo, seen = [keys.Held], []
    while todo:
        one = todo.pop()
        todo += one.__subclasses__()
        seen.append(one.__name__)
        assert one is keys.Held or "sign_raw" not in vars(one)
    assert {"FileKey", "OutsideKey", "KmsKey"} <= set(seen)


# Descriptors and what is remembered


def stores(folder: Path) -> Stores:
    return Stores(folder, memory=folder / "pins", password=lambda: PASSWORD)


def test_a_key_file_with_its_own_password_and_pss_is_described(world: World, tmp_path: Path) -> None:
    shutil.copy(world.maker("rsa").key_file, tmp_path / "key.pem")
    (tmp_path / "own").write_bytes(world.made.password + b"\n")
    words = 'store = "file"\nfile = "key.pem"\npassword_file = "own"\nscheme = "rsa-pss"\n'
    (tmp_path / "a.key.toml").write_text(words)
    key = stores(tmp_path).open("a.key.toml", at=AT)
    assert key.capabilities == keys.Capabilities(store="file", scheme=algorithms.RSA_PSS)
    assert stores(tmp_path).secret_files("a.key.toml") == (tmp_path / "own",)
    (tmp_path / "a.key.toml").write_text(words.replace('password_file = "own"\n', ""))
    with pytest.raises(KeyUnavailable, match="the password does not open the key"):
        stores(tmp_path).open("a.key.toml", at=AT)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("store = ", "not TOML"),
        ("store = 1", "expected tags"),
        ('file = "x"', "Unable to extract tag"),
        ('store = "file"', "file.file: Field required"),
        ('store = "pkcs11"\nmodule = "m"\ntoken = "t"\npin_file = "p"\nkey_id = "xyz"', "key_id: String should match"),
        ('store = "pkcs11"\nmodule = "m"\ntoken = "t"\npin_file = "p"\nscheme = "rsa-sha1"', "scheme: Input should be"),
    ],
)
def test_a_wrong_descriptor_is_refused_by_the_field(text: str, says: str, tmp_path: Path) -> None:
    (tmp_path / "a.key.toml").write_text(text)
    with pytest.raises(Misconfigured, match=says):
        stores(tmp_path).open("a.key.toml", at=AT)


def test_a_missing_or_empty_secret_is_named(tmp_path: Path) -> None:
    with pytest.raises(KeyUnavailable, match="gone: No such file"):
        descriptor.secret(tmp_path / "gone")
    (tmp_path / "empty").write_text("\n")
    with pytest.raises(Misconfigured, match="a secret of 1 to 4096 bytes"):
        descriptor.secret(tmp_path / "empty")


def test_what_failed_is_remembered_by_place_and_pin_and_forgotten_by_success(tmp_path: Path) -> None:
    pins = Pins(tmp_path / "pins")
    with pins.trying("token a", b"1") as trial:
        assert not trial.has_failures
        trial.fail()
    again = Pins(tmp_path / "pins").trying("token a", b"1")
    with pytest.raises(KeyUnavailable, match="token a: this PIN was tried once"), again:
        raise AssertionError
    with pins.trying("token b", b"1") as trial:
        assert not trial.has_failures
    with pins.trying("token a", b"2") as trial:
        assert trial.has_failures
        trial.work()
    with pins.trying("token a", b"1") as trial:
        assert not trial.has_failures
    assert not (tmp_path / "pins").stat().st_mode & 0o077


def test_authorities_are_put_in_order_and_strangers_left_out(world: World) -> None:
    own, issuing, root = world.maker("hengyuan").certificate, world.made.issuing, world.made.root
    assert outside.in_order(own, (world.made.tsa, root, issuing)) == (issuing,)
    assert outside.in_order(own, (root,)) == ()
    alone = certificates.load(certificate().public_bytes(serialization.Encoding.DER))
    assert outside.in_order(alone, (issuing,)) == ()


def test_schemes_are_told_by_the_certificate(world: World) -> None:
    told: dict[str, Scheme] = {name: world.keys[name].capabilities.scheme for name in ("hengyuan", "p384", "rsa")}
    assert told == {"hengyuan": algorithms.ECDSA_P256, "p384": algorithms.ECDSA_P384, "rsa": algorithms.RSA}


@pytest.mark.parametrize("name", ["pkcs11", "csc", "kms"])
def test_the_examples_of_descriptors_are_descriptors(name: str) -> None:
    assert descriptor.read(EXAMPLES / f"{name}.key.toml").store == name


# What is assembled by hand, beside what others make


def test_a_query_and_a_token_are_what_asn1crypto_reads(world: World) -> None:
    request = tsp.TimeStampReq.load(timestamp.query(b"x", nonce=2**62 + 5), strict=True)
    assert request.native["nonce"] == 2**62 + 5
    assert request.native["cert_req"] is True
    imprint = {"hash_algorithm": {"algorithm": "sha256"}, "hashed_message": hashlib.sha256(b"x").digest()}
    again = {"version": 1, "message_imprint": imprint, "nonce": 2**62 + 5, "cert_req": True}
    assert tsp.TimeStampReq(again).dump() == request.dump()
    token = world.timestamper().stamp(b"x", intended_at=AT).token
    content = cms.read(token, content_type=cms.TST_INFO).content or b""
    info = tsp.TSTInfo.load(content, strict=True).native
    assert info["gen_time"] == AT
    assert info["accuracy"]["seconds"] == 1
    assert tsp.TSTInfo.load(content).copy().dump(force=True) == content


@pytest.mark.parametrize("number", [0, 1, 127, 128, 255, 256, 2**63, 2**127])
def test_an_integer_is_minimal_der(number: int) -> None:
    assert der.integer(number) == core.Integer(number).dump()


def test_our_own_check_of_a_token_is_never_more_lenient_than_pyhankos(world: World) -> None:
    token = world.timestamper().stamp(b"x", intended_at=AT).token
    start = token.rindex(cms.TST_INFO)
    for place in range(start - 200, len(token)):
        altered = bytearray(token)
        altered[place] ^= 1 << place % 8
        try:
            signed = cms.read(bytes(altered), content_type=cms.TST_INFO)
            digest = hashlib.new(algorithms.DIGESTS[signed.digest_algorithm], signed.content or b"").digest()
        except (ValueError, KeyError):
            continue
        if signed.signature_algorithm != algorithms.ECDSA_SHA256:
            continue
        try:
            theirs = cms.check_signature(signed, world.made.tsa, digest=digest)
        except (ValueError, TypeError):
            theirs = (False, False)
        assert theirs == (True, True) or cms.check_own(signed, world.made.tsa, digest=digest) != (True, True), place
    signed = cms.read(token, content_type=cms.TST_INFO)
    digest = hashlib.sha256(signed.content or b"").digest()
    assert cms.check_own(signed, world.made.tsa, digest=digest) == (True, True)
    assert cms.check_own(signed, world.made.tsa, digest=bytes(32)) == (False, False)
