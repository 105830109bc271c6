"""The cases of verification: what is handed in, what the lists and the register say, and the answer that is right."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import verify_bench as benches
import verify_files as files
from verify_bench import AT, DAY, HOUR, MINUTE, NOW, Case, flipped

from signer.domain.bundle import SealWord
from signer.domain.evidence import Gap
from signer.domain.trust import SealState
from signer.domain.verdict import Code

if TYPE_CHECKING:
    from collections.abc import Iterator

    from verify_bench import Bench


def cases(bench: Bench, made: dict[str, bytes]) -> Iterator[Case]:
    """Yield every case."""
    yield from files.read(bench, made)
    yield from files.altered(bench, made)
    yield from files.archived(bench)
    yield from seals(bench, made)
    yield from records(bench, made)
    yield from bundles(bench)
    yield from questions(bench)


def seals(bench: Bench, made: dict[str, bytes]) -> Iterator[Case]:
    own = bench.filed(*made.values())

    def of(name: str, says: str, code: Code, reason: str | None = None, **how: Any) -> Case:
        return Case(name, says, code, reason, file=f"{name}.pdf", records=(own,), **how)

    yield of("no-timestamp", "Sealed without a timestamp; recorded.", Code.VALID_WITH_NOTICE, "NO_REVOCATION_DATA")
    yield of("no-revocation-data", "Sealed without answers.", Code.VALID_WITH_NOTICE, "NO_REVOCATION_DATA")
    yield of("revoked-by-its-own-data", "It carries the answer that revokes it.", Code.SEAL_REVOKED, "SEAL_REVOKED")
    yield of(
        "strangers-seal", "By a certificate of the same names that nobody lists.", Code.UNKNOWN_SEAL, "SIGNER_LISTED"
    )
    yield of("other-manufacturers-seal", "By another manufacturer's seal.", Code.UNKNOWN_SEAL, "OTHER_MANUFACTURER")
    newer = benches.contents.content_digest(bench.content_to_come).hex()
    yield Case(
        "unknown-schema",
        "Its content is of a schema to come; the register has these very bytes.",
        Code.INDETERMINATE,
        "SCHEMA_UNKNOWN",
        file="unknown-schema.pdf",
        records=(bench.filed(made["unknown-schema.pdf"], content_digest=newer),),
    )
    for name, says, code, reason in (
        ("without-the-seal", "A fresh list does not name the seal.", Code.UNKNOWN_SEAL, "SIGNER_LISTED"),
        (
            "older-without-the-seal",
            "Nor does one older than the file.",
            Code.INDETERMINATE,
            "TRUST_LIST_OLDER_THAN_SEAL",
        ),
        ("expired", "The list has expired.", Code.INDETERMINATE, "TRUST_LIST_STALE"),
        ("revoked-before", "Revoked before it sealed.", Code.SEAL_REVOKED, "SEAL_REVOKED"),
        ("revoked-after", "Revoked after it sealed.", Code.VALID_WITH_NOTICE, "SEAL_REVOKED_LATER"),
        ("compromised-before", "Revoked later, compromised before.", Code.SEAL_REVOKED, "SEAL_REVOKED"),
        ("seal-suspended", "The seal is suspended.", Code.INDETERMINATE, "SEAL_SUSPENDED"),
        ("verify-only-after", "The seal was retired later.", Code.VALID_WITH_NOTICE, "SEAL_VERIFY_ONLY"),
        ("verify-only-before", "The seal was retired before.", Code.UNKNOWN_SEAL, "SEALED_AFTER_VERIFY_ONLY"),
        ("entitled-from-later", "The seal was not entitled yet.", Code.UNKNOWN_SEAL, "NOT_ENTITLED_THEN"),
        ("entitled-until-then", "Its time is over now; it sealed before.", Code.VALID, None),
    ):
        at = NOW + HOUR if name == "expired" else NOW
        yield Case(f"list-{name}", says, code, reason, list=name, at=at)
    unproven = bench.filed(*made.values()).model_copy(update={"recorded_at": None})
    late, then = AT + 1500 * DAY, {"applied_on": f"{AT:%Y-%m-%d}"}
    yield Case(
        "certificate-expired",
        "The certificate has expired since, and nothing proves that the file is older.",
        Code.INDETERMINATE,
        "CHAIN",
        file="no-timestamp.pdf",
        records=(unproven,),
        list="years-later",
        at=late,
        question=then,
    )
    yield Case(
        "certificate-expired-recorded",
        "The certificate has expired since; the register recorded the file before.",
        Code.VALID_WITH_NOTICE,
        "NO_REVOCATION_DATA",
        file="no-timestamp.pdf",
        records=(own,),
        list="years-later",
        at=late,
        question=then,
    )
    yield Case(
        "years-later",
        "Four years later, proven by its timestamp.",
        Code.VALID,
        list="years-later",
        at=late,
        question=then,
    )
    yield Case(
        "no-proof-in-time",
        "The seal's time is over, and nothing proves that the file is older.",
        Code.INDETERMINATE,
        "NOT_PROVEN_IN_TIME",
        records=(unproven,),
        list="clock-suspended-and-over",
    )
    yield Case(
        "no-proof-and-no-data",
        "The seal's time is over; the file has neither timestamp nor answers, and nothing proves that it is older.",
        Code.INDETERMINATE,
        "NO_REVOCATION_DATA",
        file="no-timestamp.pdf",
        records=(unproven,),
        list="entitled-until-then",
    )
    early = AT - HOUR
    yield Case(
        "from-the-future",
        "Its times lie ahead of the clock.",
        Code.INDETERMINATE,
        "TIME_IN_FUTURE",
        at=early,
        told=early,
    )


def records(bench: Bench, made: dict[str, bytes]) -> Iterator[Case]:
    ended = "2026-11-22T03:30:00Z"
    successor = "00000-00000-0000"
    both = {"ended_at": ended}
    kept, gone = {"standing": "issued"}, {"standing": "withdrawn", "ended_at": ended, "reason_class": "error"}
    replaced = {"standing": "superseded", "ended_at": ended, "successor": successor}
    vins = bench.vins

    def on(
        name: str, says: str, code: Code, reason: str | None = None, /, *, vins: tuple[str, ...] = (), **record: Any
    ) -> Case:
        return Case(name, says, code, reason, records=(bench.filed(**record),), vins=vins)

    yield on(
        "withdrawn", "Withdrawn half an hour later.", Code.WITHDRAWN, "SALE_FELL_THROUGH",
        standing="withdrawn", reason_class="sale-fell-through", **both,
    )  # fmt: skip
    yield on(
        "superseded", "Replaced.", Code.SUPERSEDED, "SUPERSEDED", standing="superseded", successor=successor, **both
    )
    yield on("suspended", "Held.", Code.INDETERMINATE, "SUSPENDED", standing="suspended", suspended_until=ended)
    yield on("pending", "Being issued.", Code.INDETERMINATE, "TRY_LATER", standing="pending")
    yield on("abandoned", "Its sealing was given up.", Code.NOT_ISSUED, "ABANDONED", standing="abandoned")
    yield on("conflict", "Another manufacturer has a vehicle.", Code.INDETERMINATE, "VIN_CONFLICT", conflict=True)
    part = {"lines": [gone, kept, kept]}
    yield on("partly-withdrawn", "One of three withdrawn, none named.", Code.INDETERMINATE, "PARTLY_WITHDRAWN", **part)
    yield on("partly-withdrawn-that-one", "That one named.", Code.WITHDRAWN, "ERROR", vins=vins[:1], **part)
    yield on(
        "partly-withdrawn-another",
        "The others named.",
        Code.VALID_WITH_NOTICE,
        "OTHER_LINES_ENDED",
        vins=vins[1:],
        **part,
    )
    some = {"lines": [replaced, kept, kept]}
    yield on("partly-superseded", "One of three replaced.", Code.PARTLY_SUPERSEDED, "PARTLY_SUPERSEDED", **some)
    yield Case(
        "not-in-the-register", "The register has no such number.", Code.NOT_REGISTERED, "NUMBER_UNKNOWN", records=()
    )
    other = bench.filed(sealed_digests=["ab" * 32])
    yield Case("other-bytes-on-record", "It holds other bytes.", Code.NOT_REGISTERED, "BYTES_DIFFER", records=(other,))
    renamed = bench.filed(number=successor)
    yield Case(
        "under-another-number",
        "It is filed under another number.",
        Code.NOT_REGISTERED,
        "NUMBER_DIFFERS",
        records=(renamed,),
    )
    unlike = bench.filed(content_digest="ab" * 32)
    yield Case(
        "other-content-on-record", "It holds another content.", Code.NOT_REGISTERED, "BYTES_DIFFER", records=(unlike,)
    )
    withdrawn = bench.filed(standing="withdrawn", reason_class="fraud", **both)
    changed = flipped(bench.pdf, len(bench.pdf) // 3)
    yield Case(
        "altered-and-withdrawn", "Altered weighs more.", Code.ALTERED, "DIGEST", made=changed, records=(withdrawn,)
    )
    yield Case(
        "unsealed-and-withdrawn", "So does a missing seal.", Code.UNSEALED, file="unsealed.pdf", records=(withdrawn,)
    )
    later = bench.answer(revoked_at=AT + HOUR / 4, at=AT + HOUR / 2)
    before = bench.answer(revoked_at=AT - HOUR, at=AT + HOUR / 2)
    yield Case(
        "revoked-since", "Its authority revoked it later.", Code.VALID_WITH_NOTICE, "SEAL_REVOKED_LATER",
        more={"answers": (later,)},
    )  # fmt: skip
    yield Case(
        "revoked-backdated", "Its authority revoked it later, as of before.", Code.SEAL_REVOKED, "SEAL_REVOKED",
        more={"answers": (before,)},
    )  # fmt: skip
    held = SealWord(certificate_digest=bench.seal_digest, state=SealState.SUSPENDED, state_since=AT + HOUR / 2)
    yield Case(
        "seal-held-by-the-register", "The register holds the seal.", Code.INDETERMINATE, "SEAL_SUSPENDED",
        more={"seals": (held,)},
    )  # fmt: skip


def bundles(bench: Bench) -> Iterator[Case]:
    yield Case(
        "told-three-hours-ago",
        "A bundle of three hours ago.",
        Code.VALID_WITH_NOTICE,
        "STANDING_AS_OF",
        at=NOW + 3 * HOUR,
        told=NOW,
    )
    yield Case(
        "told-too-long-ago",
        "A bundle of 25 hours ago.",
        Code.INDETERMINATE,
        "STANDING_TOO_OLD",
        at=NOW + 25 * HOUR,
        told=NOW,
    )
    yield Case(
        "bundle-expired", "A bundle that has expired.", Code.INDETERMINATE, "BUNDLE_EXPIRED", at=NOW + 8 * DAY, told=NOW
    )
    yield Case(
        "bundle-from-the-future", "A bundle of tomorrow.", Code.INDETERMINATE, "BUNDLE_FROM_FUTURE", told=NOW + DAY
    )
    yield Case(
        "not-in-the-bundle-yet", "Sealed ten minutes before the bundle was made, and not in it.",
        Code.INDETERMINATE, "NOT_IN_BUNDLE_YET", records=(), at=AT + 10 * MINUTE,
    )  # fmt: skip
    inside = {"gaps": (Gap(since=AT - HOUR, until=AT + HOUR / 2),)}
    yield Case(
        "lost-in-a-gap", "Not in a register that lost that hour.", Code.INDETERMINATE, "REGISTER_INCOMPLETE",
        records=(), more=inside,
    )  # fmt: skip
    yield Case(
        "ended-in-a-gap", "On record; what ended since may be lost: an hour.", Code.VALID_WITH_NOTICE,
        "STANDING_INCOMPLETE", more=inside,
    )  # fmt: skip
    wide = {"gaps": (Gap(since=AT - HOUR, until=AT + 25 * HOUR),)}
    yield Case(
        "ended-in-a-wide-gap", "The same of 25 hours.", Code.INDETERMINATE, "STANDING_INCOMPLETE",
        more=wide, at=AT + 26 * HOUR,
    )  # fmt: skip
    yield Case(
        "production",
        "A TEST seal in production.",
        Code.TEST_ONLY,
        "SIGNER_LISTED",
        mode="production",
        list="production",
        records=(),
    )


def questions(bench: Bench) -> Iterator[Case]:
    vins, right = bench.vins, {"destination": "KZ", "exporter": benches.worlds.TIANSHAN}
    yield Case("covered", "All of it is asked, and right.", Code.VALID, vins=vins, question=right)
    yield Case("one-vehicle", "One of the three is asked.", Code.VALID, vins=vins[1:2])
    strange = "1M8GDM9AXKP042788"
    yield Case(
        "vin-not-listed", "A VIN that it does not list.", Code.NOT_COVERED, "VIN_NOT_LISTED", vins=(vins[0], strange)
    )
    yield Case("other-country", "Another country.", Code.NOT_COVERED, "OTHER_COUNTRY", question={"destination": "RU"})
    exporter = {"exporter": benches.worlds.HAIYI}
    yield Case("other-exporter", "Another exporter.", Code.NOT_COVERED, "OTHER_EXPORTER", question=exporter)
    until = benches.contents.parse(bench.content).until
    assert until is not None
    last, after = until.isoformat(), (until + DAY).isoformat()
    yield Case("last-day", "Applied for on its own last day.", Code.VALID, question={"applied_on": last})
    yield Case("past-its-end", "Applied for a day later.", Code.PAST_END, "PAST_END", question={"applied_on": after})
