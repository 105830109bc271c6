"""
Write fewer pages for each confirmation: tables kept in their own key's order, and indexes of what is asked for only.

Revision: 0009, after 0008. Lines, claims and status entries are found by keys that they have anyway; unsent leaves
and ended confirmations stand in no index of what is still to be done. Why: docs/adr/0015.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa
from alembic import op

from signer.register import triggers

if TYPE_CHECKING:
    from sqlalchemy.schema import SchemaItem

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_STANDINGS = "'pending', 'issued', 'suspended', 'superseded', 'withdrawn', 'abandoned'"
_USES = "ix_seal_uses_manufacturer_id_seal_digest_used_at"
_HELD = "held_while_moved"
_NUMBERED = sa.text("sequence IS NOT NULL")
_PENDING = sa.text("standing = 'pending'")
_UNTIL = sa.text("suspended_until IS NOT NULL")


def upgrade() -> None:
    triggers.drop(op.get_bind())
    _move("lines", _lines(), sa.PrimaryKeyConstraint("confirmation_id", "vin", name="pk_lines"), keyed=True)
    _move(
        "vin_claims",
        _claims(),
        sa.PrimaryKeyConstraint("vin", "manufacturer_id", "slot", name="pk_vin_claims"),
        keyed=True,
    )
    _move("status_entries", _statuses(), keyed=True)
    with op.batch_alter_table("leaves") as leaves:
        leaves.drop_constraint("uq_leaves_sequence", type_="unique")
    op.create_index(
        "uq_leaves_sequence",
        "leaves",
        ["sequence"],
        unique=True,
        sqlite_where=_NUMBERED,
        postgresql_where=_NUMBERED,
    )
    op.drop_index("ix_notices_manufacturer_id", "notices")
    op.drop_index("ix_seal_uses_manufacturer_id", "seal_uses")
    op.drop_index("ix_seal_uses_seal_digest_used_at", "seal_uses")
    op.create_index(_USES, "seal_uses", ["manufacturer_id", "seal_digest", "used_at"])
    op.drop_index("ix_confirmations_standing_reserved_at", "confirmations")
    for name, column, where in (
        ("ix_confirmations_pending", "reserved_at", _PENDING),
        ("ix_confirmations_suspended_until", "suspended_until", _UNTIL),
    ):
        op.create_index(name, "confirmations", [column], sqlite_where=where, postgresql_where=where)
    triggers.create(op.get_bind())


def downgrade() -> None:
    triggers.drop(op.get_bind())
    op.drop_index("ix_confirmations_suspended_until", "confirmations")
    op.drop_index("ix_confirmations_pending", "confirmations")
    op.create_index("ix_confirmations_standing_reserved_at", "confirmations", ["standing", "reserved_at"])
    op.drop_index(_USES, "seal_uses")
    op.create_index("ix_seal_uses_seal_digest_used_at", "seal_uses", ["seal_digest", "used_at"])
    op.create_index("ix_seal_uses_manufacturer_id", "seal_uses", ["manufacturer_id"])
    op.create_index("ix_notices_manufacturer_id", "notices", ["manufacturer_id"])
    op.drop_index("uq_leaves_sequence", "leaves")
    with op.batch_alter_table("leaves") as leaves:
        leaves.create_unique_constraint("uq_leaves_sequence", ["sequence"])
    _move("status_entries", _statuses())
    _move("vin_claims", _claims(), sa.PrimaryKeyConstraint("manufacturer_id", "vin", "slot", name="pk_vin_claims"))
    op.create_index("ix_vin_claims_confirmation_id", "vin_claims", ["confirmation_id"])
    op.create_index("ix_vin_claims_vin", "vin_claims", ["vin"])
    _move(
        "lines",
        _lines(),
        sa.PrimaryKeyConstraint("confirmation_id", "position", name="pk_lines"),
        sa.UniqueConstraint("confirmation_id", "vin", name="uq_lines_confirmation_id_vin"),
    )
    triggers.create(op.get_bind())


def _move(name: str, parts: list[SchemaItem], *keys: sa.Constraint, keyed: bool = False) -> None:
    """Make a table anew with its rows; `keyed`: SQLite keeps it in the order of its primary key."""
    columns = [part for part in parts if isinstance(part, sa.Column)]
    held = op.create_table(_HELD, *[sa.Column(column.name, column.type) for column in columns])
    names = [column.name for column in columns]
    op.execute(held.insert().from_select(names, sa.select(*map(sa.column, names)).select_from(sa.table(name))))
    op.drop_table(name)
    made = op.create_table(name, *parts, *keys, sqlite_with_rowid=not keyed)
    op.execute(made.insert().from_select(names, sa.select(*held.c)))
    op.drop_table(_HELD)


def _of(table: str, column: str, there: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [there], name=f"fk_{table}_{column}_{there.partition('.')[0]}")


def _lines() -> list[SchemaItem]:
    return [
        sa.Column("confirmation_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("vin", sa.String(length=17), nullable=False),
        sa.Column("standing", sa.String(length=12), nullable=False),
        sa.Column("ended_at", sa.String(length=27), nullable=True),
        sa.Column("reason_class", sa.String(length=24), nullable=True),
        sa.Column("successor", sa.String(length=16), nullable=True),
        sa.CheckConstraint(f"standing IN ({_STANDINGS})", name=op.f("ck_lines_standing")),
        _of("lines", "confirmation_id", "confirmations.id"),
        _of("lines", "successor", "confirmations.number"),
    ]


def _claims() -> list[SchemaItem]:
    return [
        sa.Column("manufacturer_id", sa.Integer(), nullable=False),
        sa.Column("vin", sa.String(length=17), nullable=False),
        sa.Column("slot", sa.String(length=4), nullable=False),
        sa.Column("confirmation_id", sa.Integer(), nullable=False),
        sa.CheckConstraint("slot IN ('live', 'next')", name=op.f("ck_vin_claims_slot")),
        _of("vin_claims", "confirmation_id", "confirmations.id"),
        _of("vin_claims", "manufacturer_id", "manufacturers.id"),
    ]


def _statuses() -> list[SchemaItem]:
    return [
        sa.Column("list", sa.Integer(), nullable=False),
        sa.Column("index", sa.Integer(), nullable=False),
        sa.Column("confirmation_id", sa.Integer(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.CheckConstraint("status BETWEEN 0 AND 3", name=op.f("ck_status_entries_two_bits")),
        _of("status_entries", "confirmation_id", "confirmations.id"),
        sa.PrimaryKeyConstraint("list", "index", name=op.f("pk_status_entries")),
        sa.UniqueConstraint("confirmation_id", name=op.f("uq_status_entries_confirmation_id")),
    ]
