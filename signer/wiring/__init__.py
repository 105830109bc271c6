"""The composition root: settings in, use cases out. No framework, nothing global."""

from __future__ import annotations

import secrets
import sys
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from signer import __version__, resources, sandbox
from signer.errors import Misconfigured
from signer.paper.reading import scan
from signer.register.blobs import open_blobs
from signer.register.database import Database
from signer.register.journal import Journal
from signer.seal import reading
from signer.services.alarms import Alarming
from signer.services.answering import NoReceipts
from signer.services.approving import Approving
from signer.services.batch_looking import BatchLooking
from signer.services.bundling import Bundling
from signer.services.cars import Cars
from signer.services.confirming import Confirming
from signer.services.deeds import Deeds
from signer.services.doctor import Doctor, Grounds
from signer.services.drafting import Drafting
from signer.services.engines import Chance, Page, SealBox
from signer.services.evidence import Evidence
from signer.services.evidence_judging import OfflineEvidence
from signer.services.evidence_parts import Present
from signer.services.evidence_readme import Readme
from signer.services.export import AuditReading, Exporting
from signer.services.facts import Facts
from signer.services.gathering import Gathering
from signer.services.glancing import Glancing
from signer.services.inspecting import Inspecting
from signer.services.issue import Issuing
from signer.services.keep import Keeping
from signer.services.key_checks import KeyChecking
from signer.services.licence import LicenceChecking
from signer.services.limits import Limits
from signer.services.listing import Listing
from signer.services.lookups import LookingUp
from signer.services.mailing import Mailing
from signer.services.maintain import Maintaining
from signer.services.observing import Observing
from signer.services.official import Copying
from signer.services.offline import OfflineLookups, OfflineVerifying
from signer.services.on_paper import PaperJudging
from signer.services.onboarding import Onboarding
from signer.services.outlet_links import OutletLinks
from signer.services.outlet_lists import OutletLists
from signer.services.outlet_rules import OutletRules
from signer.services.outlets import Outlets
from signer.services.paper_seal import PaperSeal
from signer.services.papers import Papers
from signer.services.people import People
from signer.services.post import post_of
from signer.services.practice import Practising
from signer.services.proving import Proving
from signer.services.publishing import Publishing
from signer.services.receipts import Receipts
from signer.services.redact import Redacting
from signer.services.reimport import Reimporting
from signer.services.renaming import Renamings
from signer.services.request_changing import RequestChanging
from signer.services.request_inbox import RequestInbox
from signer.services.requesting import Requesting
from signer.services.sampled import Sampled
from signer.services.sealing import Sealing
from signer.services.seals import SealKeeping
from signer.services.service_keys import ServiceKeys
from signer.services.sharing import Sharing
from signer.services.shelf import Shelf
from signer.services.sources import RegisterSource
from signer.services.status_links import StatusLinks
from signer.services.status_lists import StatusLists
from signer.services.tokens import Tokens
from signer.services.trust import TrustSource
from signer.services.upgrade import Upgrading
from signer.services.verify import Verifying
from signer.services.withdraw import Ending
from signer.services.work import Working
from signer.verification.policy import Policy
from signer.wiring import entrance as entering
from signer.wiring import files, log
from signer.wiring import outgoing as going
from signer.wiring.bounds import in_turn, room_of, scanning

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from signer.domain.trust import TrustList
    from signer.identity.vault import Vault
    from signer.services.accounts import Accounts
    from signer.services.backfilling import Backfilling
    from signer.services.batch_running import BatchRunning
    from signer.services.batching import Batching
    from signer.services.delivering import Delivering
    from signer.services.elsewhere import Elsewhere
    from signer.services.exporters import Exporters
    from signer.services.importing import Importing
    from signer.services.invitations import Inviting
    from signer.services.logbook import LogBook
    from signer.services.members import Members
    from signer.services.own_account import OwnAccount
    from signer.services.resuming import Resuming
    from signer.services.room import Room
    from signer.services.sequencing import Sequencing
    from signer.services.sessions import Sessions
    from signer.services.sign_in import SigningIn
    from signer.services.verify import Judge
    from signer.services.webhooks import Webhooks
    from signer.settings import Settings
    from signer.wiring.bounds import Judging

VERSION = __version__
BUNDLES = "bundles"
"""Where a verifier keeps imported bundles, in its data folder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """The use cases of one deployment."""

    settings: Settings
    database: Database
    people: People
    trust: TrustSource
    publishing: Publishing
    seal_keeping: SealKeeping
    verifying: Verifying
    alarming: Alarming
    lookups: LookingUp
    licence: LicenceChecking
    issuing: Issuing
    approving: Approving
    batching: Batching
    batch_running: BatchRunning
    batch_looking: BatchLooking
    drafting: Drafting
    listing: Listing
    confirming: Confirming
    importing: Importing
    copying: Copying
    ending: Ending
    exporting: Exporting
    audit_reading: AuditReading
    inspecting: Inspecting
    onboarding: Onboarding
    keeping: Keeping
    service_keys: ServiceKeys
    sequencing: Sequencing
    status_lists: StatusLists
    logbook: LogBook
    resuming: Resuming
    backfilling: Backfilling
    receipts: Receipts
    evidence: Evidence
    paper: PaperSeal
    papers: Papers
    sharing: Sharing
    status_links: StatusLinks
    bundling: Bundling
    key_checks: KeyChecking
    mailing: Mailing
    glancing: Glancing
    facts: Facts
    cars: Cars
    renamings: Renamings
    maintaining: Maintaining
    upgrading: Upgrading
    working: Working
    redacting: Redacting
    reimporting: Reimporting
    doctor: Doctor
    observing: Observing
    tokens: Tokens
    deeds: Deeds
    practising: Practising
    sessions: Sessions
    accounts: Accounts
    signing_in: SigningIn
    outlets: Outlets
    outlet_rules: OutletRules
    outlet_links: OutletLinks
    outlet_lists: OutletLists
    own_account: OwnAccount
    inviting: Inviting
    members: Members
    elsewhere: Elsewhere
    exporters: Exporters
    requesting: Requesting
    request_inbox: RequestInbox
    request_changing: RequestChanging
    webhooks: Webhooks
    delivering: Delivering
    vault: Callable[[], Vault]
    room: Room


def now() -> datetime:
    """Tell the time: the only clock of the house, handed to whoever needs one."""
    return datetime.now(UTC)


def _verifiers(
    source: RegisterSource, judge: Judge | None, *, trust: TrustSource, policy: Policy, clock: Callable[[], datetime]
) -> tuple[Verifying, Verifying]:
    """Return who verifies stored files for our own work, and who checks new ones, some of them by both paths."""
    patient, whole = judge or trust.judge_patiently, judge or trust.judge_wholly
    new = Sampled(judge=patient, whole=whole)
    return (
        Verifying(source=source, judge=patient, policy=policy, clock=clock),
        Verifying(source=source, judge=new, policy=policy, clock=clock),
    )


def wire(
    settings: Settings,
    *,
    clock: Callable[[], datetime] = now,
    judge: Judge | None = None,
    judging: Judging = nullcontext,
) -> Services:
    """
    Put the house together for one process; keys and fonts open when first needed.

    `judge`: else the sandbox. `judging`: around each file that is brought, so that only a few are judged at once.
    """
    database = Database(settings.database)
    blobs = open_blobs(settings.blob_url, database=database, folder=settings.data_dir / "blobs")
    room = room_of(settings, database=database, blobs=blobs)
    trust = TrustSource(settings)
    policy = Policy(mode=settings.mode)

    def current() -> TrustList:
        return trust.current(clock())

    source = RegisterSource(database=database, trust=current)
    templates = resources.templates_dir()
    chance = Chance(bits=secrets.randbits, below=secrets.randbelow)
    mailing = Mailing(
        database=database,
        post=lambda: post_of(settings),
        templates=templates / "web" / "mail",
        sender=settings.sender,
        base_url=settings.base_url,
        clock=clock,
        below=chance.below,
    )
    alarming = Alarming(database=database, mailing=mailing, clock=clock)
    verifying, self_checking = _verifiers(source, judge, trust=trust, policy=policy, clock=clock)
    asked = Verifying(
        source=source,
        judge=in_turn(judge or trust.judge, judging),
        policy=policy,
        clock=clock,
        watch=alarming,
        scanner=scanning(scan, judging),
    )
    lookups = LookingUp(
        database=database,
        trust=current,
        policy=policy,
        clock=clock,
        papers=PaperJudging(source=source, policy=policy, clock=clock),
        watch=alarming,
    )
    page, seals = Page(settings, templates), SealBox(settings, trust=trust, clock=clock)
    seal_keeping = SealKeeping(database=database, trust=trust, box=seals, clock=clock)
    glancing = Glancing(database=database, seal_keeping=seal_keeping, mailing=mailing, clock=clock)
    service_keys = ServiceKeys(settings, trust=trust, box=seals, clock=clock)
    receipts = Receipts(
        keys=service_keys,
        trust=current,
        clock=clock,
        bits=chance.bits,
        issuer=settings.base_url,
        software=f"signer {VERSION}",
    )
    status_lists = StatusLists(
        database=database, trust=trust, keys=service_keys, base_url=settings.base_url, clock=clock
    )
    journal = Journal(settings.data_dir / "endings.jsonl")
    paper = PaperSeal(settings, database=database, trust=trust, box=seals, clock=clock)
    key_checks = KeyChecking(database=database, seals=seals, service_keys=service_keys, paper=paper, clock=clock)
    logging = log.wire(settings, database=database, trust=trust, clock=clock, chance=chance)
    sealing = Sealing(
        database=database,
        blobs=blobs,
        page=page,
        seals=seals,
        verifying=self_checking,
        proving=Proving(
            paper=paper,
            logbook=logging.logbook,
            are_listed=logging.are_listed,
            needs_proof=settings.log_proofs == "require",
        ),
        journal=journal,
        clock=clock,
    )
    issuing = Issuing(
        database=database,
        blobs=blobs,
        page=page,
        seals=seals,
        sealing=sealing,
        room=room,
        clock=clock,
        chance=chance,
    )
    maintaining = Maintaining(
        database=database,
        blobs=blobs,
        sealing=sealing,
        verifying=verifying,
        page=page,
        seals=seals,
        clock=clock,
        below=chance.below,
    )
    people = People(database=database, clock=clock)
    papers, outlets = (
        Papers(database=database, blobs=blobs, clock=clock),
        Outlets(database=database, clock=clock, uncovered=page.uncovered),
    )
    keeping = Keeping(database=database, blobs=blobs, journal=journal, clock=clock)
    upgrading = Upgrading(
        database=database,
        blobs=blobs,
        trust=trust,
        witnesses=seals.witnesses,
        verifying=self_checking,
        clock=clock,
    )
    approving = Approving(
        database=database,
        gathering=Gathering(page=page, seals=seals),
        issuing=issuing,
        mailing=mailing,
        clock=clock,
        bits=chance.bits,
    )
    of_files = files.wire(
        database=database,
        engines=(page, seals),
        issuing=issuing,
        maintaining=maintaining,
        mailing=mailing,
        room=room,
        clock=clock,
        chance=chance,
    )
    ending = Ending(database=database, journal=journal, clock=clock)
    copying = Copying(database=database, blobs=blobs, page=page, room=room, clock=clock)
    tokens = Tokens(database=database, is_test=settings.mode == "test", clock=clock, bits=chance.bits)
    entrance = entering.wire(settings, database=database, mailing=mailing, clock=clock, chance=chance)
    outgoing = going.wire(
        settings, database=database, vault=entrance.vault, mailing=mailing, clock=clock, chance=chance
    )
    doctor = Doctor(
        grounds=Grounds(settings=settings, database=database, room=room),
        trust=trust,
        seals=seals,
        keys=key_checks,
        page=page,
        log=logging.examining,
        clock=clock,
    )
    return Services(
        settings=settings,
        database=database,
        people=people,
        trust=trust,
        publishing=Publishing(settings=settings, database=database, trust=trust, clock=clock),
        seal_keeping=seal_keeping,
        verifying=asked,
        alarming=alarming,
        lookups=lookups,
        licence=LicenceChecking(verifying=asked, lookups=lookups, clock=clock),
        issuing=issuing,
        approving=approving,
        listing=Listing(database=database, clock=clock),
        drafting=Drafting(database=database, page=page, seals=seals, clock=clock, chance=chance),
        confirming=Confirming(
            database=database, blobs=blobs, ending=ending, copying=copying, clock=clock, bits=chance.bits
        ),
        copying=copying,
        ending=ending,
        importing=of_files.importing,
        exporting=Exporting(database=database),
        audit_reading=AuditReading(database=database, clock=clock),
        inspecting=Inspecting(database=database, blobs=blobs, clock=clock, bits=chance.bits),
        onboarding=Onboarding(
            database=database, inviting=entrance.inviting, mailing=mailing, clock=clock, bits=chance.bits
        ),
        maintaining=maintaining,
        upgrading=upgrading,
        mailing=mailing,
        glancing=glancing,
        facts=Facts(database=database, clock=clock, bits=chance.bits),
        cars=Cars(database=database, key=lambda: entrance.vault().key("buyers"), clock=clock),
        renamings=Renamings(database=database, mailing=mailing, clock=clock, bits=chance.bits),
        working=Working(
            database=database,
            maintaining=maintaining,
            keeping=keeping,
            upgrading=upgrading,
            plain={
                "mail": mailing.deliver,
                "tally": glancing.tally,
                "remind": glancing.remind,
                "deliver": outgoing.delivering.hand_out,
                "log": logging.sequencing.keep,
                "log-backfill": lambda tell: f"{logging.backfilling.run(tell)} confirmations brought in",
                "status-lists": status_lists.sign,
            },
            approving=approving,
            of_files=of_files,
            clock=clock,
        ),
        batching=of_files.batching,
        batch_running=of_files.running,
        batch_looking=BatchLooking(
            database=database, gathering=Gathering(page=page, seals=seals), blobs=blobs, clock=clock
        ),
        service_keys=service_keys,
        status_lists=status_lists,
        sequencing=logging.sequencing,
        logbook=logging.logbook,
        resuming=logging.resuming,
        backfilling=logging.backfilling,
        paper=paper,
        papers=papers,
        status_links=StatusLinks(database=database, papers=papers, clock=clock, bits=chance.bits),
        sharing=Sharing(
            database=database,
            papers=papers,
            limits=Limits(database=database, clock=clock),
            clock=clock,
            bits=chance.bits,
        ),
        bundling=Bundling(database=database, trust=trust, keys=service_keys, clock=clock, folder=settings.data_dir),
        receipts=receipts,
        evidence=Evidence(
            database=database,
            blobs=blobs,
            verifying=verifying,
            receipts=receipts,
            present=Present(database=database, trust=trust, keys=service_keys, logbook=logging.logbook, clock=clock),
            readme=Readme(templates / "evidence", verify=f"{settings.base_url.rstrip('/')}/verify"),
            clock=clock,
        ),
        key_checks=key_checks,
        keeping=keeping,
        outlets=outlets,
        outlet_rules=OutletRules(database=database, outlets=outlets, clock=clock),
        outlet_links=OutletLinks(database=database, mailing=mailing, clock=clock, bits=chance.bits),
        outlet_lists=OutletLists(database=database, room=room, clock=clock, bits=chance.bits, uncovered=page.uncovered),
        tokens=tokens,
        practising=Practising(
            settings=settings, database=database, people=people, trust=trust, tokens=tokens, clock=clock
        ),
        deeds=Deeds(database=database, clock=clock),
        sessions=entrance.sessions,
        accounts=entrance.accounts,
        signing_in=entrance.signing_in,
        own_account=entrance.own_account,
        inviting=entrance.inviting,
        members=entrance.members,
        elsewhere=entrance.elsewhere,
        exporters=entrance.exporters,
        requesting=Requesting(database=database, mailing=mailing, clock=clock, bits=chance.bits),
        request_inbox=RequestInbox(database=database, mailing=mailing, clock=clock, bits=chance.bits),
        request_changing=RequestChanging(database=database, mailing=mailing, clock=clock),
        vault=entrance.vault,
        webhooks=outgoing.webhooks,
        delivering=outgoing.delivering,
        redacting=Redacting(database=database, clock=clock),
        reimporting=Reimporting(
            database=database, blobs=blobs, verifying=verifying, journal=journal, clock=clock, chance=chance
        ),
        doctor=doctor,
        observing=Observing(database=database, room=room, trust=trust, doctor=doctor, version=VERSION, clock=clock),
        room=room,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Offline:
    """The use cases of a verifier without register, keys and network: what imported bundles can answer."""

    settings: Settings
    shelf: Shelf
    verifying: OfflineVerifying
    evidence: OfflineEvidence
    lookups: OfflineLookups
    licence: LicenceChecking
    receipts: NoReceipts


def wire_offline(
    settings: Settings,
    *,
    folder: Path | None = None,
    clock: Callable[[], datetime] = now,
    judge: Judge | None = None,
    judging: Judging = nullcontext,
) -> Offline:
    """Put a verifier together over a folder of imported bundles (else the data folder's own), behind walls."""
    refuse_without_walls(settings)
    policy = Policy(mode=settings.mode)
    shelf = Shelf(folder or settings.data_dir / BUNDLES, mode=settings.mode, clock=clock)
    seals = judge or reading.facts_of
    verifying = OfflineVerifying(
        shelf=shelf,
        judge=in_turn(seals, judging),
        policy=policy,
        clock=clock,
        scanner=scanning(scan, judging),
    )
    lookups = OfflineLookups(shelf=shelf, policy=policy, clock=clock)
    return Offline(
        settings=settings,
        shelf=shelf,
        verifying=verifying,
        evidence=OfflineEvidence(shelf=shelf, judge=seals, policy=policy, clock=clock),
        lookups=lookups,
        licence=LicenceChecking(verifying=verifying, lookups=lookups, clock=clock),
        receipts=NoReceipts(),
    )


def wire_ready(settings: Settings, *, clock: Callable[[], datetime] = now, judging: Judging = nullcontext) -> Services:
    """Put the house together over a register whose schema is this code's, behind walls; Misconfigured otherwise."""
    refuse_without_walls(settings)
    services = wire(settings, clock=clock, judging=judging)
    services.database.refuse_other_version()
    return services


def refuse_without_walls(settings: Settings) -> None:
    """Raise Misconfigured where hostile files would be parsed for real without the wall that every Linux has."""
    if settings.mode == "production" and sys.platform == "linux" and not sandbox.standing_walls()["seccomp"]:
        raise Misconfigured("this kernel or container allows no seccomp filter: hostile files would not be walled in")
