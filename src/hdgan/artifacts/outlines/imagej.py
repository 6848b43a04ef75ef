"""Outlines in the ROI files of ImageJ: one region (.roi), or the list of its ROI manager (.zip).

Corners of areas are corners of pixels, as in ImageJ: (0, 0) is the upper left corner of the image.
"""

import re
import struct
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import shapely

from hdgan.artifacts.optional_packages import need
from hdgan.artifacts.outlines.areas import Area, Ring, filled, only_area, ring_of
from hdgan.artifacts.outlines.imagej_path import rings_of_path
from hdgan.artifacts.outlines.outline import Drawn, LeftOut, drawn
from hdgan.artifacts.outlines.tangles import refuse_tangle
from hdgan.artifacts.outlines.zipped import members_of
from hdgan.errors import LabelError

if TYPE_CHECKING:
    from roifile import ImagejRoi

MAGIC = b"Iout"
"""First bytes of a region."""

WITHOUT_AREA = {
    "LINE": "line",
    "FREELINE": "line",
    "POLYLINE": "line",
    "ANGLE": "angle",
    "POINT": "point",
    "NOROI": "region without shape",
}
"""Types of regions that are left out, and what they are called."""

LABELS = {"TEXT": "text", "IMAGE": "image", "ARROW": "arrow"}
"""Subtypes that are left out, whatever their type."""

_MADE_UP = re.compile(r"(\d+-)*\d+|F\d+-C\d+|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_TIMES = re.compile(r"-\d+$")
_DAMAGE = (ValueError, TypeError, KeyError, IndexError, OverflowError, RuntimeError, struct.error)


def is_roi(data: bytes) -> bool:
    """Whether a file begins as a region does."""
    return data[:4] == MAGIC


def shapes_in(data: bytes, name: str) -> Iterator[Drawn]:
    """The region of a `.roi`, or those of a `.zip`, in the order of the archive.

    The class is the name, without the `-1` that tells several of one name apart; or `group 2` if
    ImageJ made up the name from places, and somebody gave a group; else empty.

    Raises:
        LabelError: it is damaged, or an archive that might fill the memory.
        SettingsError: the package roifile is not installed.
    """
    need("roifile", "annotate", "Regions of ImageJ")
    if is_roi(data):
        yield _shape(data, "", name)
        return
    for member, content in members_of(data, name, ".roi"):
        stem = member.rpartition("/")[2][: -len(".roi")]
        yield _shape(content, stem, f"{member[-80:]!r} of {name}")


def _shape(data: bytes, called: str, where: str) -> Drawn:
    from roifile import ImagejRoi

    try:
        roi = ImagejRoi.frombytes(data)
        kind = LABELS.get(roi.subtype.name) or WITHOUT_AREA.get(roi.roitype.name)
        if kind is not None:
            return LeftOut(kind)
        area = _area(roi, where)
    except _DAMAGE as error:
        raise LabelError(
            f"{where} is not a region of ImageJ that can be read ({error}). Save it again with the "
            "ROI manager."
        ) from error
    if area is None:
        return LeftOut(f"region of type {int(roi.roitype)}")
    return drawn(_class_name(roi.name or called, roi.group), area)


def _class_name(name: str, group: int) -> str:
    """What somebody called a region."""
    if name and not _MADE_UP.fullmatch(name):
        return _TIMES.sub("", name)
    return f"group {group}" if group else ""


def _area(roi: "ImagejRoi", where: str) -> Area | None:
    """What is inside a region; None for types that are not known."""
    kind = roi.roitype.name
    if kind in ("POLYGON", "FREEHAND", "TRACED"):
        return filled([_ring(np.asarray(roi.coordinates()), where)])
    if kind == "RECT" and roi.composite:
        rings = [_ring(ring, where) for ring in rings_of_path(np.asarray(roi.multi_coordinates))]
        return _even_odd(rings)
    if kind == "RECT":
        return _rectangle(_box(roi, where), roi.rounded_rect_arc_size)
    if kind == "OVAL":
        return filled([_oval(_box(roi, where))])
    return None


def _ring(corners: np.ndarray, where: str) -> Ring:
    return ring_of(corners.astype(np.float64).tolist(), where)


def _even_odd(rings: list[Ring]) -> Area:
    """What an odd number of rings encloses, as ImageJ combines areas."""
    polygons = [shapely.Polygon(ring) for ring in rings if len(ring) > 2]
    refuse_tangle(polygons)
    together = shapely.MultiPolygon(polygons)
    return only_area(shapely.make_valid(together, method="linework"))


def _box(roi: "ImagejRoi", where: str) -> Ring:
    """Upper left and lower right corner."""
    if roi.subpixelrect:
        left, top, right, bottom = roi.xd, roi.yd, roi.xd + roi.widthd, roi.yd + roi.heightd
    else:
        left, top, right, bottom = roi.left, roi.top, roi.right, roi.bottom
    return ring_of([[float(left), float(top)], [float(right), float(bottom)]], where)


def _rectangle(box: Ring, arc: int) -> Area:
    """A rectangle; `arc` is the diameter of its round corners."""
    (left, top), (right, bottom) = box
    if left >= right or top >= bottom:
        return shapely.Polygon()
    area = shapely.box(left, top, right, bottom)
    radius = min(arc / 2, (right - left) * 0.499, (bottom - top) * 0.499)
    if radius <= 0:
        return area
    return only_area(area.buffer(-radius).buffer(radius, quad_segs=32))


def _oval(box: Ring) -> Ring:
    """A polygon for the ellipse in a box; as fine as a hundredth of a pixel."""
    least, most = box
    radii = (most - least) / 2
    fine = np.pi * np.sqrt(radii.max(initial=1.0) / 0.02)
    angles = np.linspace(0, 2 * np.pi, int(np.clip(fine, 64, 4096)), endpoint=False)
    ring: Ring = (least + radii) + radii * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    return ring
