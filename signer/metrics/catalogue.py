"""Everything that `/metrics` tells: one definition each, from which docs/reference/metrics.md is written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Kind = Literal["counter", "histogram", "gauge"]

QUICK: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
LONG: Final = (0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 1800.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """
    One metric: what it is called, what it means, what its labels are; `buckets` are upper ends in seconds.

    `is_kept`: a process counts it; others are looked up when somebody asks. Labels take few values, all known before:
    never a number, a vehicle, a person.
    """

    name: str
    kind: Kind
    help: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()
    is_kept: bool = True


VERDICTS: Final = Metric(
    name="signer_verdicts_total",
    kind="counter",
    help="Verdicts given to whoever asked, by code; `of`: a file, or a record that was looked up.",
    labels=("code", "of"),
)
REQUESTS: Final = Metric(
    name="signer_http_requests_total",
    kind="counter",
    help="Requests answered, by the first digit of the status.",
    labels=("status",),
)
REQUEST_SECONDS: Final = Metric(
    name="signer_http_request_seconds",
    kind="histogram",
    help="How long an answer took, by door: page, api or file (verifying uploads, which waits for a child).",
    labels=("door",),
    buckets=QUICK,
)
WAITING: Final = Metric(
    name="signer_waiting", kind="gauge", help="Requests of this process that wait for a turn, or to have a file judged."
)
REFUSED: Final = Metric(
    name="signer_refused_total", kind="counter", help="Requests for which no turn was to be had (429)."
)
BODY_BYTES: Final = Metric(name="signer_body_bytes", kind="gauge", help="Bytes of bodies that this process holds.")
RESIDENT: Final = Metric(
    name="signer_resident_bytes",
    kind="gauge",
    help="Memory of this process.",
    labels=("role", "pid"),
    is_kept=False,
)

INFO: Final = Metric(
    name="signer_info",
    kind="gauge",
    help="1: which code answers, over which schema.",
    labels=("version", "commit", "migration"),
    is_kept=False,
)
HEALTH: Final = Metric(
    name="signer_health",
    kind="gauge",
    help="0: ok, 1: warning, 2: error; the parts of `/readyz`.",
    labels=("part",),
    is_kept=False,
)
DISK_FREE: Final = Metric(
    name="signer_disk_free_bytes",
    kind="gauge",
    help="Bytes free where something is kept.",
    labels=("place",),
    is_kept=False,
)
DISK_LEVEL: Final = Metric(
    name="signer_disk_level",
    kind="gauge",
    help="0: enough room, 1: below the warning, 2: nothing new is begun.",
    labels=("place",),
    is_kept=False,
)

CATALOGUE: Final = (
    INFO,
    HEALTH,
    VERDICTS,
    REQUESTS,
    REQUEST_SECONDS,
    WAITING,
    REFUSED,
    BODY_BYTES,
    RESIDENT,
    DISK_FREE,
    DISK_LEVEL,
)
"""Every metric, in the order in which they are told."""
