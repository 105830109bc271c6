"""The tables of accounts: who signs in, by what, since when, and who invited or appointed whom."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Integer, LargeBinary, String, Table, Text

from signer.register.columns import At, metadata, one_of, partial

accounts = Table(
    "accounts",
    metadata,
    Column("person_id", ForeignKey("people.id"), primary_key=True),
    Column("login", String(120), nullable=False, unique=True),
    Column("password", String(200)),
    Column("password_at", At),
    Column("language", String(2), nullable=False),
    Column("state", String(12), nullable=False),
    Column("created_at", At, nullable=False),
    one_of("state", ["active", "suspended"], "state"),
)
"""`login` is an e-mail address, folded; `password` an Argon2id string."""

factors = Table(
    "factors",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("person_id", ForeignKey("people.id"), nullable=False, index=True),
    Column("kind", String(8), nullable=False),
    Column("label", String(60), nullable=False),
    Column("secret", LargeBinary, nullable=False),
    Column("credential", LargeBinary, unique=True),
    Column("counter", Integer, nullable=False),
    Column("created_at", At, nullable=False),
    Column("confirmed_at", At),
    Column("used_at", At),
    one_of("kind", ["totp", "passkey"], "kind"),
    CheckConstraint("(kind = 'passkey') = (credential IS NOT NULL)", name="credential"),
)
"""`secret`: a TOTP secret under the vault's key, or a passkey's COSE key; `counter`: the last time step, or its own."""

recovery_codes = Table(
    "recovery_codes",
    metadata,
    Column("person_id", ForeignKey("people.id"), primary_key=True),
    Column("digest", LargeBinary(32), primary_key=True),
    Column("made_at", At, nullable=False),
    Column("used_at", At),
)

federated = Table(
    "federated",
    metadata,
    Column("issuer", String(200), primary_key=True),
    Column("subject", String(200), primary_key=True),
    Column("person_id", ForeignKey("people.id"), nullable=False, index=True),
    Column("linked_at", At, nullable=False),
)

sessions = Table(
    "sessions",
    metadata,
    Column("token_digest", LargeBinary(32), primary_key=True),
    Column("person_id", ForeignKey("people.id"), nullable=False, index=True),
    Column("csrf", String(64), nullable=False),
    Column("way", String(20), nullable=False),
    Column("agent", String(200), nullable=False),
    Column("network", String(64), nullable=False),
    Column("created_at", At, nullable=False),
    Column("seen_at", At, nullable=False),
    Column("factor_at", At),
    Column("ends_at", At, nullable=False, index=True),
)
"""`way`: how it began; `factor_at`: when a second factor was last shown in it."""

challenges = Table(
    "challenges",
    metadata,
    Column("token_digest", LargeBinary(32), primary_key=True),
    Column("kind", String(20), nullable=False),
    Column("person_id", ForeignKey("people.id")),
    Column("data", Text, nullable=False),
    Column("ends_at", At, nullable=False, index=True),
)
"""What a sign-in or a passkey waits for, used once: a password already shown, a challenge, a state of OIDC."""

sign_in_failures = Table(
    "sign_in_failures",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", At, nullable=False, index=True),
    Column("login_digest", LargeBinary(32), nullable=False),
    Column("network", String(64), nullable=False),
    Index("ix_sign_in_failures_login_digest_at", "login_digest", "at"),
    Index("ix_sign_in_failures_network_at", "network", "at"),
)

invitations = Table(
    "invitations",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("token_digest", LargeBinary(32), nullable=False, unique=True),
    Column("login", String(120), nullable=False),
    Column("name", String(120), nullable=False),
    Column("manufacturer_id", ForeignKey("manufacturers.id")),
    Column("roles", String(120), nullable=False),
    Column("invited_by", ForeignKey("people.id")),
    Column("created_at", At, nullable=False),
    Column("ends_at", At, nullable=False),
    Column("accepted_at", At),
    Column("accepted_by", ForeignKey("people.id")),
    Column("revoked_at", At),
)
"""`roles` are separated by blanks; `invited_by` is empty for what the command line made."""

role_requests = Table(
    "role_requests",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("kind", String(20), nullable=False),
    Column("person_id", ForeignKey("people.id"), nullable=False),
    Column("manufacturer_id", ForeignKey("manufacturers.id"), nullable=False),
    Column("asked_by", ForeignKey("people.id"), nullable=False),
    Column("asked_at", At, nullable=False),
    Column("decided_by", ForeignKey("people.id")),
    Column("decided_at", At),
    Column("outcome", String(10)),
    one_of("kind", ["grant-approver", "reset-factor"], "kind"),
    one_of("outcome", ["granted", "refused"], "outcome"),
    CheckConstraint("decided_by <> asked_by AND decided_by <> person_id", name="four_eyes"),
    partial("uq_role_requests_open", "kind", "person_id", "manufacturer_id", where="decided_at IS NULL", unique=True),
)
"""What needs another approver's word: the role itself, or a new factor for who has it."""

appointments = Table(
    "appointments",
    metadata,
    Column("person_id", ForeignKey("people.id"), primary_key=True),
    Column("role", String(16), primary_key=True),
    Column("granted_by", String(64), nullable=False),
    Column("granted_at", At, nullable=False),
    one_of("role", ["operator", "auditor", "officer"], "role"),
)
"""Roles of the whole deployment, bound to no manufacturer."""
