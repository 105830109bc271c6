"""
Keys in tokens and HSMs, by PKCS#11: one session and one lock for each token in a process, opened when first needed.

Only raw mechanisms are used, over a digest that we make: they are what every token has. Source: PKCS #11 v2.40.
"""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, ClassVar, Final, cast

import pkcs11
import structlog
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from pkcs11 import MGF, Attribute, KeyType, Mechanism, ObjectClass, TokenFlag
from pkcs11 import exceptions as faults

from signer.errors import KeyUnavailable, Misconfigured
from signer.seal import algorithms, keys
from signer.seal.stores import descriptor, outside

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from signer.seal.certificates import Certificate
    from signer.seal.stores.descriptor import Pkcs11Store
    from signer.seal.stores.pins import Pins

log = structlog.get_logger()

_DIGEST_INFO: Final = bytes.fromhex("3031300d060960864801650304020105000420")
"""What stands before a SHA-256 digest under PKCS #1 v1.5. Source: RFC 8017, 9.2, note 1."""
_PSS: Final = (Mechanism.SHA256, MGF.SHA256, 32)
_FINAL: Final = (
    faults.MechanismInvalid,
    faults.MechanismParamInvalid,
    faults.KeyTypeInconsistent,
    faults.KeySizeRange,
    faults.FunctionRejected,
    faults.DataInvalid,
    faults.DataLenRange,
    faults.AttributeSensitive,
)
"""What asking again does not mend."""
_WRONG_PIN: Final = (faults.PinIncorrect, faults.PinInvalid, faults.PinLenRange)


class Module:
    """
    A module as this process has loaded it: initialised once, and asked by one thread at a time for all of its tokens.

    A module is one for its process, whoever asks (PKCS #11 v2.40, 5.4), so this is the one place that is, too.
    """

    _loaded: ClassVar[dict[str, Module]] = {}

    def __init__(self, path: str) -> None:
        self.lock = threading.RLock()
        self.loaded_by = os.getpid()
        self._library = pkcs11.lib(path)

    @classmethod
    def load(cls, path: str, *, name: str) -> Module:
        """Return a module, initialised anew in a process that inherited it. Raises Misconfigured."""
        known = cls._loaded.get(path)
        if known is not None and known.loaded_by == os.getpid():
            return known
        try:
            made = cls(path)
            if known is not None:
                made.begin_anew()
        except (pkcs11.PKCS11Error, RuntimeError, OSError) as error:
            told = f"the module {path} cannot be loaded: is it installed here? ({_plain(error)})"
            raise Misconfigured(f"{name}: {told}") from error
        cls._loaded[path] = made
        return made

    def begin_anew(self) -> None:
        """Initialise the module anew: every session is lost, and found again by the keys that need one."""
        self._library.reinitialize()

    def tokens(self, *, label: str, serial: str | None) -> list[pkcs11.Token]:
        """Return the tokens of a label. A module that fails or finds none is initialised anew once: one may be back."""
        wanted = serial.encode() if serial else None
        try:
            if found := list(self._library.get_tokens(token_label=label, token_serial=wanted)):
                return found
        except pkcs11.PKCS11Error as error:
            log.warning("module.failed", fault=_plain(error))
        self.begin_anew()
        return list(self._library.get_tokens(token_label=label, token_serial=wanted))


class Token:
    """One token, logged in once by this process for all of its keys. Call it only while holding `lock`."""

    def __init__(self, path: Path, described: Pkcs11Store, *, pins: Pins) -> None:
        self._path = path
        self._described = described
        self._pins = pins
        self._session: pkcs11.Session | None = None
        self._module = Module.load(described.module, name=str(path))
        self.lock = self._module.lock
        self.generation = 0

    def session(self) -> pkcs11.Session:
        """Return the session, logged in. Raises KeyUnavailable, Misconfigured, and what the module says."""
        if self._session is None:
            self._session = self._login()
            self.generation += 1
        return self._session

    def lose(self, generation: int) -> None:
        """Forget the session of a generation, unless another key has done so already."""
        if generation == self.generation and self._session is not None:
            stale, self._session = self._session, None
            try:
                stale.close()
            except pkcs11.PKCS11Error as error:
                log.info("token.close-failed", token=self._described.token, fault=type(error).__name__)

    def _login(self) -> pkcs11.Session:
        token = self._find()
        serial = token.serial.decode("ascii", "replace")
        pin = descriptor.secret(descriptor.beside(self._path, self._described.pin_file))
        with self._pins.trying(f"token {serial}", pin) as trial:
            # asked anew: another process may have failed while we waited
            refuse_flags(self._find().flags, name=self._name, is_ours=trial.has_failures)
            try:
                session = token.open(user_pin=pin.decode())
            except faults.UserAlreadyLoggedIn:
                return token.open()
            except _WRONG_PIN as error:
                trial.fail()
                raise outside.unavailable(
                    self._name, "the PIN is wrong", next_step=f"put the right one into {self._described.pin_file}"
                ) from error
            except (faults.PinLocked, faults.PinExpired, faults.UserPinNotInitialized) as error:
                raise outside.unavailable(self._name, _plain(error), next_step="have its officer set a PIN") from error
            trial.work()
        return session

    def _find(self) -> pkcs11.Token:
        """Return the one token that the descriptor names."""
        try:
            found = self._module.tokens(label=self._described.token, serial=self._described.serial)
        except pkcs11.PKCS11Error as error:
            raise outside.unavailable(self._name, _plain(error), next_step="is the HSM up?") from error
        if len(found) != 1:
            told = "no such token is there" if not found else f"{len(found)} tokens have this label"
            step = "is it plugged in, or its HSM up?" if not found else "name its `serial`"
            raise outside.unavailable(self._name, told, next_step=step)
        return found[0]

    @property
    def _name(self) -> str:
        return f"{self._path}: token {self._described.token!r}"


def refuse_flags(flags: TokenFlag, *, name: str, is_ours: bool) -> None:
    """
    Refuse to try a PIN where a wrong one would come near to locking the token.

    `is_ours`: the failures that the token counts may be those that we remember; then another PIN is tried once.
    Raises KeyUnavailable. Source: PKCS #11 v2.40, CK_TOKEN_INFO.
    """
    if flags & TokenFlag.USER_PIN_LOCKED:
        raise outside.unavailable(name, "the PIN is locked", next_step="have its officer unlock it")
    if flags & TokenFlag.USER_PIN_FINAL_TRY:
        step = "log in once by the token's own tool, with the right PIN"
        raise outside.unavailable(name, "one more wrong PIN locks it, so none is tried", next_step=step)
    if flags & TokenFlag.USER_PIN_COUNT_LOW and not is_ours:
        step = "find out who, then log in once by the token's own tool"
        raise outside.unavailable(name, "a wrong PIN was entered elsewhere, so none is tried", next_step=step)


class _Handle(pkcs11.PrivateKey, pkcs11.SignMixin):
    """What the module returns for a private key that may sign; for typing alone."""


class Pkcs11Key(outside.OutsideKey):
    """A key in a token. A session that was lost is opened anew, once for each signature."""

    __slots__ = ("_described", "_generation", "_handle", "_token")

    def __init__(
        self,
        token: Token,
        described: Pkcs11Store,
        certificate: Certificate,
        chain: tuple[Certificate, ...],
        *,
        scheme: algorithms.Scheme,
        name: str,
    ) -> None:
        super().__init__(certificate, chain, capabilities=keys.Capabilities(store="pkcs11", scheme=scheme), name=name)
        self._token = token
        self._described = described
        self._find()

    def _find(self) -> None:
        """Resolve the key's handle in the session in use."""
        session = self._token.session()
        found = list(session.get_objects({Attribute.CLASS: ObjectClass.PRIVATE_KEY, **_wanted(self._described)}))
        if len(found) != 1:
            told = "no such private key is in the token" if not found else f"{len(found)} keys are alike"
            raise Misconfigured(f"{self.name}: {told}: give `key_label` or `key_id` as the token's own tool shows it")
        self._handle, self._generation = cast("_Handle", found[0]), self._token.generation
        kinds = (KeyType.EC,) if self.capabilities.scheme.name.startswith("ecdsa") else (KeyType.RSA,)
        if self._handle.key_type not in kinds:
            raise Misconfigured(f"{self.name}: the token's key is not of the kind that the certificate names")

    def _ask(self, data: bytes) -> bytes:
        digest = self._digest(data)
        with self._token.lock:
            try:
                return self._sign_digest(digest)
            except _FINAL as error:
                step = "does its certificate belong to it, and does the token allow it to sign by this scheme?"
                raise outside.unavailable(self.name, f"the token refuses: {_plain(error)}", next_step=step) from error
            except pkcs11.PKCS11Error as error:
                log.warning("token.session-lost", token=self._described.token, fault=type(error).__name__)
                return self._sign_anew(digest, first=_plain(error))

    def _sign_anew(self, digest: bytes, *, first: str) -> bytes:
        try:
            self._token.lose(self._generation)
            self._find()
            return self._sign_digest(digest)
        except pkcs11.PKCS11Error as error:
            why = f"the session was lost ({first}) and could not be opened anew ({_plain(error)})"
            step = "is the token there and its HSM up? Then restart the worker"
            raise outside.unavailable(self.name, why, next_step=step) from error
        except (KeyUnavailable, Misconfigured) as error:
            raise KeyUnavailable(f"the session was lost ({first}) and could not be opened anew: {error}") from error

    def _sign_digest(self, digest: bytes) -> bytes:
        scheme = self.capabilities.scheme
        if scheme == algorithms.RSA:
            return bytes(self._handle.sign(_DIGEST_INFO + digest, mechanism=Mechanism.RSA_PKCS))
        if scheme == algorithms.RSA_PSS:
            return bytes(self._handle.sign(digest, mechanism=Mechanism.RSA_PKCS_PSS, mechanism_param=_PSS))
        plain = self._handle.sign(digest, mechanism=Mechanism.ECDSA)
        half = len(plain) // 2
        return encode_dss_signature(int.from_bytes(plain[:half], "big"), int.from_bytes(plain[half:], "big"))


def _wanted(described: Pkcs11Store) -> dict[Attribute, str | bytes]:
    wanted: dict[Attribute, str | bytes] = {}
    if described.key_label is not None:
        wanted[Attribute.LABEL] = described.key_label
    if described.key_id is not None:
        wanted[Attribute.ID] = bytes.fromhex(described.key_id)
    return wanted


def open_key(path: Path, described: Pkcs11Store, token: Token, *, at: datetime) -> Pkcs11Key:
    """Open the key that a descriptor names, and try it once. Raises KeyUnavailable, Misconfigured."""
    try:
        with token.lock:
            own, chain = _certificates(path, described, token)
            scheme = keys.admitted(own, at=at, name=str(path), is_pss=described.scheme == "rsa-pss")
            key = Pkcs11Key(token, described, own, chain, scheme=scheme, name=str(path))
    except pkcs11.PKCS11Error as error:
        raise outside.unavailable(str(path), _plain(error), next_step="is the token there and its HSM up?") from error
    key.sign_raw(outside.TRIAL)
    return key


def _certificates(path: Path, described: Pkcs11Store, token: Token) -> tuple[Certificate, tuple[Certificate, ...]]:
    if described.certificate is not None:
        return outside.read_certificates(descriptor.beside(path, described.certificate))
    held = token.session().get_objects({Attribute.CLASS: ObjectClass.CERTIFICATE})
    found = {one[Attribute.ID]: _parsed(path, one[Attribute.VALUE]) for one in held}
    own_id = bytes.fromhex(described.key_id) if described.key_id else _id_of(token, described)
    if own_id not in found:
        raise Misconfigured(f"{path}: the token has no certificate with the key's id: name a PEM file, `certificate`")
    return found[own_id], outside.in_order(found[own_id], tuple(found.values()))


def _id_of(token: Token, described: Pkcs11Store) -> bytes:
    wanted = {Attribute.CLASS: ObjectClass.PRIVATE_KEY, **_wanted(described)}
    return b"".join(one[Attribute.ID] for one in token.session().get_objects(wanted))


def _parsed(path: Path, der: bytes) -> Certificate:
    try:
        parsed = x509.load_der_x509_certificate(der)
    except ValueError as error:
        raise Misconfigured(f"{path}: a certificate in the token cannot be read") from error
    return keys.certificate_of(parsed, name=str(path))


def _plain(error: Exception) -> str:
    """Return what a module said, in its own word: PKCS#11 errors have a name and seldom a text."""
    return f"{type(error).__name__}{f': {error}' if str(error) else ''}"
