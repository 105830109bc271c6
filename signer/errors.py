"""
Every error that this project raises on purpose, in one tree, each with a stable code.

Knows no HTTP: `web.problems` gives each class its status.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Severity = Literal["violation", "warning", "notice"]


@dataclass(frozen=True, slots=True)
class Finding:
    """
    Tell one thing that a rule found in a draft.

    `rule` is the stable id (`vin.check-digit`), `pointer` the field as a JSON pointer
    (RFC 6901) into the draft, `zh` and `en` the sentence for a person, `source` the text
    that demands it.
    """

    rule: str
    severity: Severity
    pointer: str
    zh: str
    en: str
    source: str

    def __str__(self) -> str:
        return f"{self.pointer or '/'}: {self.en} [{self.rule}]"


class SignerError(Exception):
    """Anything that this project refuses or fails to do, knowingly."""

    code = "error"


class InvalidInput(SignerError):
    """One value from outside is not what it must be; `field` is a JSON pointer or an option's name."""

    code = "invalid-input"

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}" if field else reason)
        self.field = field
        self.reason = reason


class BundleRefused(InvalidInput):
    """An offline bundle cannot be believed, or may not follow what is kept: nothing of it counts."""

    code = "bundle-refused"

    def __init__(self, reason: str) -> None:
        super().__init__("bundle", reason)


class RuleViolation(SignerError):
    """A draft breaks rules; `violations` names all of them at once."""

    code = "rule-violation"

    def __init__(self, violations: tuple[Finding, ...]) -> None:
        super().__init__("; ".join(str(violation) for violation in violations))
        self.violations = violations


class NotAuthenticated(SignerError):
    """Nobody is known to be asking."""

    code = "not-authenticated"


class NotPermitted(SignerError):
    """The person asking may not do this."""

    code = "not-permitted"


class RightMissing(NotPermitted):
    """A token does not carry the right that this needs, or its person's roles do not; the message names the right."""

    code = "right-missing"


class ManufacturerSuspended(NotPermitted):
    """The operators suspended this manufacturer: it issues nothing, and its people are not let in."""

    code = "manufacturer-suspended"


class NotFound(SignerError):
    """No such record, or none that the asker may know of."""

    code = "not-found"


class Conflict(SignerError):
    """The register holds something that excludes what was asked."""

    code = "conflict"


class ChangedMeanwhile(Conflict):
    """Somebody else changed it since it was read."""

    code = "precondition-failed"


class KeyRunning(Conflict):
    """The same idempotency key is being worked on at this moment; `retry_after_s` tells when to ask again."""

    code = "idempotency-key-running"
    retry_after_s = 2


class KeyReused(SignerError):
    """An idempotency key came a second time, with another payload."""

    code = "idempotency-key-reused"


class TooLarge(SignerError):
    """An input is larger than its cap."""

    code = "too-large"


class Misconfigured(SignerError):
    """A setting, key or deployment is not fit for what was asked; names the exact fault."""

    code = "misconfigured"


class KeyElsewhere(SignerError):
    """A key is asked by a process that inherited it: each process opens its own, after the fork."""

    code = "key-elsewhere"


class SelfCheckFailed(SignerError):
    """A file that we sealed did not verify: our defect, nothing left the house."""

    code = "self-check-failed"


class CopyRefused(SignerError):
    """A file cannot be made to outlive its timestamp: it is not as it was sealed, or was renewed too often."""

    code = "copy-refused"


class Unavailable(SignerError):
    """Something that we depend on does not answer now; trying again later may help."""

    code = "unavailable"


class KeyUnavailable(Unavailable):
    """The seal's key cannot be used: wrong password, missing, unreadable."""

    code = "key-unavailable"


class TimestampUnavailable(Unavailable):
    """No timestamping authority answered within the time allowed."""

    code = "timestamp-unavailable"


class RevocationUnavailable(Unavailable):
    """Nobody said in time, and credibly, that a certificate is not revoked."""

    code = "revocation-unavailable"


class TrustListStale(Unavailable):
    """The trust list is expired, or its signature or sequence is not to be trusted."""

    code = "trust-list-stale"


class RegisterUnavailable(Unavailable):
    """The register cannot be read or written now."""

    code = "register-unavailable"


class StorageUnavailable(Unavailable):
    """A file cannot be stored: disk full, read-only or gone."""

    code = "storage-unavailable"


class StorageLow(StorageUnavailable):
    """Too little room is left on a disk: nothing new is begun; `retry_after_s` tells when to ask again."""

    code = "storage-low"
    retry_after_s = 300


class LogHeld(Unavailable):
    """The log's own tables do not hold what was published of it: nothing is appended before an operator says more."""

    code = "log-held"


class LogUnavailable(Unavailable):
    """The transparency log did not prove in time that it holds what is about to be sealed, where that is demanded."""

    code = "log-unavailable"


class Crowded(Unavailable):
    """More is asked than is taken in at once, and nothing of it was done; `retry_after_s` tells when to ask again."""

    code = "crowded"

    def __init__(self, message: str, *, retry_after_s: int) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class TooManyRequests(Crowded):
    """Too many look-ups failed from one network, or for one number."""

    code = "too-many-requests"


class Busy(Crowded):
    """No turn is to be had: everything is being worked on that is at once, or by the network that asks, its share."""

    code = "busy"


class QueueFull(Crowded):
    """As much of one kind waits for a manufacturer as may; what was asked was not taken in."""

    code = "queue-full"
