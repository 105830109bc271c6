"""
Structured logs: one JSON object a line on standard error. Never a key, a password or a VIN list.

Each line has the id of what it belongs to, once something was begun: `request` for a request, `job` for a job.
"""

from __future__ import annotations

import logging
import re
import sys
from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from structlog.typing import EventDict, WrappedLogger

REDACTED = frozenset({"password", "pin", "key", "token", "secret", "authorization", "cookie", "vins", "vin"})
_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


_SECRETS = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)"
    r"|\bsgnr_[a-z]+_\w+|\bwhsec_[\w+/=-]+|\b(?:Bearer|Basic)\s+[\w.~+/=-]+|(?<=://)[^/\s:@]*:[^/\s@]*(?=@)"
    r"|(?i:(?<=password=)|(?<=pin=)|(?<=pin-value=)|(?<=secret=)|(?<=token=))[^\s&;'\"]+",
    re.DOTALL,
)
"""What is a secret by its form: private keys, tokens, webhooks' secrets, credentials of a request or in an address."""

_MAY_HOLD = re.compile(r"[_=\s]|:/")
"""Every secret's form has one of these, and most of what is logged has none: looking for all forms takes far longer."""


def configure(level: str) -> None:
    """Write events of a level and above; to be called once, by an entrance."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
            structlog.processors.format_exc_info,
            redact,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=False,
    )


def redact(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Cross out what must not be in a log, whoever put it there."""
    return {
        name: "[redacted]" if name.lower() in REDACTED else _without_secrets(value) for name, value in event.items()
    }


def _without_secrets(value: object) -> object:
    if isinstance(value, str):
        return _SECRETS.sub("[redacted]", value) if _MAY_HOLD.search(value) else value
    if isinstance(value, dict):
        return {
            key: "[redacted]" if str(key).lower() in REDACTED else _without_secrets(one) for key, one in value.items()
        }
    if isinstance(value, list | tuple):
        return [_without_secrets(one) for one in value]
    return value
