"""The engines as issuing needs them: a page to be sealed, the seals, and chance."""

from __future__ import annotations

import base64
import os
import threading
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import TYPE_CHECKING

import structlog

from signer import settings as configured
from signer.document import glyphs, lint
from signer.document.page import NO_EXTRAS, symbol_texts
from signer.document.render import Renderer
from signer.document.symbols import Expected
from signer.domain.circumstances import SealCircumstances
from signer.domain.parties import is_same_name
from signer.domain.trust import Purpose, SealState
from signer.errors import Misconfigured, RevocationUnavailable, TimestampUnavailable
from signer.paper import symbol
from signer.seal import certificates, keys, naming, sign
from signer.seal.stores import examining
from signer.seal.stores.opening import Stores
from signer.services.witnesses import Witnesses, password

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from signer.document.page import Extras
    from signer.domain.confirmation import Confirmation
    from signer.domain.parties import Manufacturer
    from signer.domain.trust import TrustEntry
    from signer.register.parties import Seal, TsaPolicy
    from signer.seal.certificates import Certificate
    from signer.seal.keys import SealKey
    from signer.seal.revocation import Evidence
    from signer.services.trust import TrustSource
    from signer.settings import Settings

TEMPLATE_VERSION = "1"
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Chance:
    """The sources of chance: `bits(n)` draws n random bits, `below(n)` a number below n."""

    bits: Callable[[int], int]
    below: Callable[[int], int]


class Page:
    """Makes the page that is going to be sealed, and refuses what must not be."""

    version = TEMPLATE_VERSION

    def __init__(self, settings: Settings, templates: Path) -> None:
        self._settings = settings
        self._renderer = Renderer(templates, symbol=partial(symbol.matrix, level="Q"))

    @property
    def digest(self) -> bytes:
        """What decides the page's bytes besides its data (32 bytes)."""
        return self._renderer.renderer_digest(self.version)

    def refuse_base_url(self) -> None:
        """Refuse to seal an address that is wrong for ever."""
        configured.refuse_base_url(self._settings)

    def uncovered(self, text: str) -> str:
        """Return the first character of a text that no font of ours has, or ''."""
        return glyphs.uncovered(text)

    def render(self, confirmation: Confirmation, *, encoded: bytes, extras: Extras = NO_EXTRAS) -> bytes:
        """Render and lint (steps 7 and 8): what comes back may be sealed."""
        base_url = self._settings.base_url
        pdf = self._renderer.render(confirmation, encoded=encoded, base_url=base_url, extras=extras)
        texts = symbol_texts(base_url, confirmation.number, extras)
        codes = Expected(texts=texts, read=lambda pixels, width: symbol.texts(pixels, width=width))
        lint.lint(pdf, confirmation, encoded, others=extras.attachments, codes=codes)
        return pdf

    def print_form(self, confirmation: Confirmation, *, encoded: bytes, sealed_digest: bytes) -> bytes:
        """Render what the manufacturer prints, or seals in its own system: without field, seal and attachment."""
        base_url = self._settings.base_url
        return self._renderer.print_form(confirmation, encoded=encoded, base_url=base_url, sealed_digest=sealed_digest)

    def preview(self, confirmation: Confirmation, *, encoded: bytes, status: str) -> bytes:
        """Render what a draft would look like, marked as one; `status` stands under the title."""
        base_url = self._settings.base_url
        return self._renderer.preview(confirmation, encoded=encoded, base_url=base_url, status=status)


class SealBox:
    """The seals of this deployment, their keys opened when first used, and the witnesses behind them."""

    def __init__(self, settings: Settings, *, trust: TrustSource, clock: Callable[[], datetime]) -> None:
        self._settings = settings
        self._trust = trust
        self._clock = clock
        self._witnesses = Witnesses(settings, trust=trust, clock=clock)
        self._lock = threading.RLock()
        self._forget_keys()

    def _forget_keys(self) -> None:
        """Begin without keys: also in a process that inherited some, because a key belongs to who opened it."""
        memory = self._settings.data_dir / "pins"
        self._opened_by = os.getpid()
        self._stores = Stores(self._settings.keys, memory=memory, password=partial(password, self._settings))
        self._keys: dict[str, SealKey] = {}
        self._others: dict[str, SealKey] = {}

    def _forget_inherited(self) -> None:
        if self._opened_by != os.getpid():
            self._forget_keys()

    def circumstances(self, seal: Seal, maker: Manufacturer) -> SealCircumstances:
        """Return what the rules judge about a seal: from the trust list, never from the key's file."""
        entry = self._entry(seal)
        certificate = _listed(entry.certificate)
        if entry.naming_profile is None:
            raise Misconfigured(
                f"the trust list does not say how {seal.certificate_digest[:16]} names its manufacturer"
            )
        return SealCircumstances(
            certificate_digest=seal.certificate_digest,
            seal_class=seal.seal_class,
            state=seal.state if entry.state is SealState.ACTIVE else entry.state,
            not_before=certificate.not_before,
            not_after=certificate.not_after,
            binding_fault=_of_another(entry, maker)
            or naming.fault(certificate, profile=entry.naming_profile, legal_name=maker.legal_name, uscc=maker.uscc),
        )

    def _entry(self, seal: Seal) -> TrustEntry:
        entry = self._trust.current(self._clock()).by_digest(seal.certificate_digest)
        if entry is None or entry.purpose is not Purpose.PDF_SEAL:
            raise Misconfigured(f"the seal {seal.certificate_digest[:16]} is not on the trust list")
        return entry

    def open(self, seal: Seal, *, at: datetime) -> None:
        """Open a seal's key. Raises KeyUnavailable or Misconfigured, naming the exact fault."""
        self._key(seal, at=at)

    def refuse_unusable(self, seal: Seal, *, at: datetime, tsa_policy: TsaPolicy | None) -> None:
        """
        Open the key, so that a wrong password, a lost file, an expired or revoked certificate costs no number.

        Raises KeyUnavailable, Misconfigured; RevocationUnavailable, or TimestampUnavailable while every authority is
        left alone, where the policy is `require`.
        """
        key = self._key(seal, at=at)
        trust = self._trust.current(at)
        if at >= trust.expires:
            raise Misconfigured(f"the trust list expired at {trust.expires:%Y-%m-%dT%H:%M:%SZ}: publish a new one")
        if fault := examining.chain_fault(key, self._entry(seal), trust, at=at):
            raise Misconfigured(f"{seal.key_ref}: {fault}")
        may_lack = self.may_lack_proof(tsa_policy)
        stamper = self._witnesses.timestamper()
        if not may_lack:
            stamper.refuse_resting()
        self._evidence(seal, key, None, may_lack=may_lack)

    def _evidence(self, seal: Seal, key: SealKey, witness: Certificate | None, *, may_lack: bool) -> Evidence | None:
        """Return evidence about a seal and its witness; None where nobody answers and a best effort may lack it."""
        try:
            return self._witnesses.evidence(self._entry(seal), witness, key=key)
        except RevocationUnavailable as error:
            if not may_lack:
                raise
            log.warning("revocation.unavailable", seal=seal.certificate_digest[:16], reason=str(error)[:300])
            return None

    def _key(self, seal: Seal, *, at: datetime) -> SealKey:
        with self._lock:
            self._forget_inherited()
            kept = self._keys.get(seal.certificate_digest)
            if kept is None:
                kept = self._stores.open(seal.key_ref, at=at)
                if kept.certificate.digest != seal.certificate_digest:
                    raise Misconfigured(f"{seal.key_ref}: its certificate is not that of the seal in the register")
                self._keys[seal.certificate_digest] = kept
        keys.refuse_outside_validity(kept.certificate, at, name=seal.key_ref)
        return kept

    def open_other(self, name: str, *, at: datetime) -> SealKey:
        """
        Open a key that is no seal's, by its file's name: the stores, and the tokens logged in there, are the same.

        Raises KeyUnavailable or Misconfigured.
        """
        with self._lock:
            self._forget_inherited()
            if name not in self._others:
                self._others[name] = self._stores.open(name, at=at)
            kept = self._others[name]
        keys.refuse_outside_validity(kept.certificate, at, name=name)
        return kept

    def secret_files(self, name: str) -> tuple[Path, ...]:
        """Return the files of secrets by which a key is opened."""
        return self._stores.secret_files(name)

    def examine_key(self, seal: Seal, *, at: datetime) -> tuple[examining.Found, ...]:
        """Look at a seal's key, and try it; every fault by its name, with what to do next."""
        trust = self._trust.current(at)
        secrets = partial(self._stores.secret_files, seal.key_ref)
        return examining.examine(
            lambda: self._key(seal, at=at), trust.by_digest(seal.certificate_digest), trust, at=at, secrets=secrets
        )

    @property
    def witnesses(self) -> Witnesses:
        """Who vouches for seals from outside."""
        return self._witnesses

    def try_timestamp(self) -> datetime:
        """Ask for a timestamp of nothing, and return its time. Raises TimestampUnavailable."""
        return self._witnesses.timestamper().stamp(b"doctor", intended_at=self._clock()).at

    def may_lack_proof(self, policy: TsaPolicy | None) -> bool:
        """Tell whether a manufacturer seals also when no witness answers, of its time or of revocation."""
        return (policy or self._settings.tsa_policy) == "best-effort"

    def seal(self, page: bytes, seal: Seal, *, at: datetime, tsa_policy: TsaPolicy | None) -> sign.Sealed:
        """
        Seal a page at B-LT, or as well as the witnesses allow where the policy is `best-effort`.

        Raises KeyUnavailable if the seal is revoked; TimestampUnavailable, RevocationUnavailable where the policy
        is `require`.
        """
        key, may_lack = self._key(seal, at=at), self.may_lack_proof(tsa_policy)
        evidence = partial(self._evidence, seal, key, may_lack=may_lack)
        try:
            return sign.seal(page, key=key, timestamper=self._witnesses.timestamper(), at=at, evidence=evidence)
        except TimestampUnavailable:
            if not may_lack:
                raise
            return sign.seal(page, key=key, timestamper=None, at=at, evidence=evidence)


@lru_cache(maxsize=256)
def _listed(encoded: str) -> Certificate:
    """Read a listed certificate (base64) once: the same bytes come at each issue."""
    return certificates.load(base64.b64decode(encoded))


def _of_another(entry: TrustEntry, maker: Manufacturer) -> str:
    """Tell whose seal it is if not this manufacturer's: a rename freezes the seal, a pinned one too (B8)."""
    if entry.uscc == maker.uscc and is_same_name(entry.legal_name, maker.legal_name):
        return ""
    return f"the trust list gives it to {entry.legal_name!r} ({entry.uscc})"
