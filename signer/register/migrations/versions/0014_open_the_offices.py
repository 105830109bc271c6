"""
Open the offices: what officers asked, manufacturers that two operators let in, and a manufacturer that is suspended.

Revision: 0014, after 0013.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from signer.register import triggers

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_SUSPENSION = (("suspended_at", 27), ("suspended_by", 64), ("suspended_for", 400))


def upgrade() -> None:
    triggers.drop(op.get_bind())
    for name, length in _SUSPENSION:
        op.add_column("manufacturers", sa.Column(name, sa.String(length=length), nullable=True))
    _checks()
    _onboardings()
    triggers.create(op.get_bind())


def _checks() -> None:
    op.create_table(
        "checks",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("ref", sa.String(length=16), nullable=False),
        sa.Column("person_id", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("reference", sa.String(length=120), nullable=False),
        sa.Column("answer", sa.String(length=40), nullable=False),
        sa.Column("outcome", sa.String(length=10), nullable=False),
        sa.Column("jti", sa.String(length=19), nullable=True),
        sa.Column("receipt", sa.Text(), nullable=True),
        sa.Column("asked_at", sa.String(length=27), nullable=False),
        sa.CheckConstraint("kind IN ('vehicle', 'file', 'record', 'licence')", name=op.f("ck_checks_kind")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_checks_person_id_people")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_checks")),
        sa.UniqueConstraint("ref", name=op.f("uq_checks_ref")),
    )
    op.create_index("ix_checks_person_id_id", "checks", ["person_id", "id"])


def _onboardings() -> None:
    op.create_table(
        "onboardings",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("ref", sa.String(length=16), nullable=False),
        sa.Column("uscc", sa.String(length=18), nullable=False),
        sa.Column("record", sa.Text(), nullable=False),
        sa.Column("admin_name", sa.String(length=80), nullable=False),
        sa.Column("admin_login", sa.String(length=120), nullable=False),
        sa.Column("language", sa.String(length=2), nullable=False),
        sa.Column("asked_by", sa.String(length=64), nullable=False),
        sa.Column("asked_at", sa.String(length=27), nullable=False),
        sa.Column("decided_by", sa.String(length=64), nullable=True),
        sa.Column("decided_at", sa.String(length=27), nullable=True),
        sa.Column("outcome", sa.String(length=10), nullable=True),
        sa.Column("factor", sa.String(length=10), nullable=True),
        sa.CheckConstraint("decided_by <> asked_by OR outcome = 'dropped'", name=op.f("ck_onboardings_four_eyes")),
        sa.CheckConstraint(
            "outcome <> 'done' OR (decided_by IS NOT NULL AND factor IS NOT NULL)", name=op.f("ck_onboardings_decided")
        ),
        sa.CheckConstraint("outcome IN ('done', 'dropped')", name=op.f("ck_onboardings_outcome")),
        sa.ForeignKeyConstraint(["asked_by"], ["people.id"], name=op.f("fk_onboardings_asked_by_people")),
        sa.ForeignKeyConstraint(["decided_by"], ["people.id"], name=op.f("fk_onboardings_decided_by_people")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_onboardings")),
        sa.UniqueConstraint("ref", name=op.f("uq_onboardings_ref")),
    )
    waiting = sa.text("decided_at IS NULL")
    op.create_index(
        "uq_onboardings_waiting",
        "onboardings",
        ["uscc"],
        unique=True,
        sqlite_where=waiting,
        postgresql_where=waiting,
    )


def downgrade() -> None:
    triggers.drop(op.get_bind())
    op.drop_table("onboardings")
    op.drop_table("checks")
    for name, _ in _SUSPENSION:
        op.drop_column("manufacturers", name)
    triggers.create(op.get_bind())
