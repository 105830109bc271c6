"""Add the empty signature field `Seal` over the seal's picture: Typst cannot make a form field."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pikepdf
from pikepdf import Array, Dictionary, Name, String

from signer.errors import SignerError

if TYPE_CHECKING:
    from collections.abc import Iterator

FIELD = "Seal"
_PRINT_AND_LOCK = 4 | 128
_SIGNATURES_EXIST_APPEND_ONLY = 0
_WIDGET, _FORM = Name("/SealWidget.StandsHere"), Name("/SealForm.StandsHere")
"""Stand where references to the objects that are added will be."""


class FieldFailed(SignerError):
    """The rendered PDF has no seal picture to lay the field over, or is not as Typst writes it."""

    code = "field-failed"


@dataclass(frozen=True, slots=True)
class Objects:
    """What makes a field: objects of the file that change, by number, and those that are added, each as its value."""

    changed: dict[int, bytes]
    added: tuple[bytes, ...]


def seal_field(pdf: pikepdf.Pdf, *, first: int, picture_alt: str, tooltip: str) -> Objects:
    """
    Make an empty, tagged signature field over the figure whose alternate text is `picture_alt`.

    What is added has the numbers from `first` on. The widget has no appearance: readers can click it and see the
    picture beneath. It is tagged as PDF/UA wants it: TU, a Form element with OBJR and StructParent, tab order by
    structure. Raises FieldFailed.

    Source: ISO 32000-1, 12.7.4.5 and 14.7.4.3; ISO 14289-1, 7.18.
    """
    figure, parent = _figure(pdf.Root.StructTreeRoot, picture_alt)
    page = figure.Pg if Name.Pg in figure else _page_of(figure)
    rect = figure.A[0].BBox if isinstance(figure.A, Array) else figure.A.BBox
    key = int(pdf.Root.StructTreeRoot.ParentTreeNextKey)
    added = _widget(page, rect=rect, tooltip=tooltip, key=key), _form(page, parent=parent, tooltip=tooltip)
    changed = [pdf.Root, pdf.Root.StructTreeRoot, page, parent, *_attach(pdf, page=page, parent=parent, figure=figure)]
    if not all(each.is_indirect for each in changed):
        raise FieldFailed("an object that must change has no number")
    values = [each.unparse(resolved=True) for each in ({one.objgen: one for one in changed}).values()]
    linked = _linked([*values, *(each.unparse() for each in added)], first=first)
    numbers = {one.objgen: None for one in changed}
    return Objects({number: linked[place] for place, (number, _) in enumerate(numbers)}, tuple(linked[len(values) :]))


def _linked(values: list[bytes], *, first: int) -> list[bytes]:
    """Put references to the two objects that are added in the place of their five stand-ins."""
    for name, number, count in ((_WIDGET, first, 3), (_FORM, first + 1, 2)):
        stand_in = str(name).encode()
        if sum(value.count(stand_in) for value in values) != count:
            raise FieldFailed(f"the file has a name {name} of its own")
        values = [value.replace(stand_in, b"%d 0 R" % number) for value in values]
    return values


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


def _widget(page: pikepdf.Object, *, rect: pikepdf.Object, tooltip: str, key: int) -> Dictionary:
    return Dictionary(
        Type=Name.Annot,
        Subtype=Name.Widget,
        FT=Name.Sig,
        T=String(FIELD),
        TU=String(tooltip),
        F=_PRINT_AND_LOCK,
        Rect=Array(rect),
        P=page,
        StructParent=key,
    )


def _form(page: pikepdf.Object, *, parent: pikepdf.Object, tooltip: str) -> Dictionary:
    return Dictionary(
        Type=Name.StructElem,
        S=Name.Form,
        P=parent,
        Pg=page,
        Alt=String(tooltip),
        K=Dictionary(Type=Name.OBJR, Obj=_WIDGET, Pg=page),
    )


def _attach(
    pdf: pikepdf.Pdf, *, page: pikepdf.Object, parent: pikepdf.Object, figure: pikepdf.Object
) -> list[pikepdf.Object]:
    """Name the two in page, form, tree and catalogue; return the changed nodes of the number tree that have numbers."""
    root = pdf.Root.StructTreeRoot
    key = int(root.ParentTreeNextKey)
    kids = list(parent.K) if isinstance(parent.K, Array) else [parent.K]
    kids.insert(_place(kids, figure) + 1, _FORM)
    parent.K = Array(kids)
    nodes = _append_number(root.ParentTree, key, _FORM)
    root.ParentTreeNextKey = key + 1
    page.Annots = Array([*page.get(Name.Annots, ()), _WIDGET])
    page.Tabs = Name.S
    pdf.Root.AcroForm = Dictionary(Fields=Array([_WIDGET]), SigFlags=_SIGNATURES_EXIST_APPEND_ONLY)
    return [node for node in nodes if node.is_indirect]


def _place(kids: list[pikepdf.Object], figure: pikepdf.Object) -> int:
    return next(place for place, kid in enumerate(kids) if isinstance(kid, Dictionary) and kid.objgen == figure.objgen)


def _append_number(tree: pikepdf.Object, key: int, value: pikepdf.Object) -> list[pikepdf.Object]:
    """Add the largest key yet to a number tree, at its last leaf; return the path to it (ISO 32000-1, 7.9.7)."""
    path = [tree]
    while Name.Kids in path[-1]:
        path.append(path[-1].Kids[-1])
        if Name.Limits in path[-1]:
            path[-1].Limits = Array([path[-1].Limits[0], key])
    path[-1].Nums = Array([*path[-1].Nums, key, value])
    return path
