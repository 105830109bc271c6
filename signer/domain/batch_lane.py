"""
The lane of a confirmation: those of one lane have pages that are alike, and are rendered one after another.

Typst keeps what it laid out for some ten pages: labels, outlets and parties that return in the next page are not laid
out again. Pure, and known before anything is rendered: docs/adr/0054-the-render-lane.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable

    from signer.domain.confirmation import Terms

__all__ = ["LaneKey", "lane_key", "lane_ranks"]

LaneKey: TypeAlias = tuple[str, ...]
"""What pages have in common: keys sort as texts, and mean nothing but "alike"."""


def lane_key(terms: Terms) -> LaneKey:
    """
    Return what makes pages alike, the widest first: template, languages, manufacturer, outlets as they are printed.

    Within that, those of one exporter lie side by side: its name stands on each page twice.
    """
    template = terms.template
    outlets = (outlet.id for outlet in terms.printed_outlets)
    parties = (terms.manufacturer.uscc, *outlets, terms.exporter.uscc)
    return (template.name, template.version, *template.languages, *parties)


def lane_ranks(keys: Iterable[LaneKey]) -> dict[LaneKey, int]:
    """Return the turn of each lane, from 0: the same whatever the order in which the keys came."""
    return {key: rank for rank, key in enumerate(sorted(set(keys)))}
