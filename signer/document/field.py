"""Add the empty signature field `Seal` over the seal's picture: Typst cannot make a form field."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pikepdf
from pikepdf import Array, Dictionary, Name, String

from signer.errors import SignerError

if TYPE_CHECKING:
    from collections.abc import Iterator

FIELD = "Seal"
_PRINT_AND_LOCK = 4 | 128
_SIGNATURES_EXIST_APPEND_ONLY = 0


class FieldFailed(SignerError):
    """The rendered PDF has no seal picture to lay the field over, or is not as Typst writes it."""

    code = "field-failed"


def add_seal_field(pdf: pikepdf.Pdf, *, picture_alt: str, tooltip: str) -> None:
    """
    Add an empty, tagged signature field over the figure whose alternate text is `picture_alt`.

    The widget has no appearance: readers can click it and see the picture beneath. It is tagged as PDF/UA
    wants it: TU, a Form element with OBJR and StructParent, tab order by structure. Raises FieldFailed.

    Source: ISO 32000-1, 12.7.4.5 and 14.7.4.3; ISO 14289-1, 7.18.
    """
    figure, parent = _figure(pdf.Root.StructTreeRoot, picture_alt)
    page = figure.Pg if Name.Pg in figure else _page_of(figure)
    rect = figure.A[0].BBox if isinstance(figure.A, Array) else figure.A.BBox
    _attach(pdf, page=page, parent=parent, figure=figure, rect=Array(rect), tooltip=tooltip)


def _figure(root: pikepdf.Object, alt: str) -> tuple[pikepdf.Object, pikepdf.Object]:
    for element, parent in elements(root):
        if element.get(Name.S) == Name.Figure and str(element.get(Name.Alt, "")) == alt:
            return element, parent
    raise FieldFailed("no figure bears the seal's alternate text")


def elements(parent: pikepdf.Object) -> Iterator[tuple[pikepdf.Object, pikepdf.Object]]:
    """Yield a tree's elements with their parents, the last first: the seal stands near the end."""
    kids = parent.get(Name.K)
    for kid in reversed(list(kids)) if isinstance(kids, Array) else () if kids is None else (kids,):
        if isinstance(kid, Dictionary) and Name.S in kid:
            yield kid, parent
            yield from elements(kid)


def _page_of(figure: pikepdf.Object) -> pikepdf.Object:
    for element, _ in elements(figure):
        if Name.Pg in element:
            return element.Pg
    raise FieldFailed("the seal's picture is on no page")


def _attach(
    pdf: pikepdf.Pdf, *, page: pikepdf.Object, parent: pikepdf.Object, figure: pikepdf.Object, rect: Array, tooltip: str
) -> None:
    root = pdf.Root.StructTreeRoot
    key = int(root.ParentTreeNextKey)
    widget = pdf.make_indirect(
        Dictionary(
            Type=Name.Annot,
            Subtype=Name.Widget,
            FT=Name.Sig,
            T=String(FIELD),
            TU=String(tooltip),
            F=_PRINT_AND_LOCK,
            Rect=rect,
            P=page,
            StructParent=key,
        )
    )
    form = pdf.make_indirect(
        Dictionary(
            Type=Name.StructElem,
            S=Name.Form,
            P=parent,
            Pg=page,
            Alt=String(tooltip),
            K=Dictionary(Type=Name.OBJR, Obj=widget, Pg=page),
        )
    )
    kids = parent.K if isinstance(parent.K, Array) else Array([parent.K])
    kids.insert(_place(kids, figure) + 1, form)
    parent.K = kids
    _append_number(root.ParentTree, key, form)
    root.ParentTreeNextKey = key + 1
    page.Annots = Array([*page.get(Name.Annots, ()), widget])
    page.Tabs = Name.S
    pdf.Root.AcroForm = Dictionary(Fields=Array([widget]), SigFlags=_SIGNATURES_EXIST_APPEND_ONLY)


def _place(kids: Array, figure: pikepdf.Object) -> int:
    return next(place for place, kid in enumerate(kids) if isinstance(kid, Dictionary) and kid.objgen == figure.objgen)


def _append_number(tree: pikepdf.Object, key: int, value: pikepdf.Object) -> None:
    """Add the largest key yet to a number tree, at its last leaf (ISO 32000-1, 7.9.7)."""
    leaf = tree
    while Name.Kids in leaf:
        leaf = leaf.Kids[-1]
        if Name.Limits in leaf:
            leaf.Limits[1] = key
    leaf.Nums.append(key)
    leaf.Nums.append(value)
