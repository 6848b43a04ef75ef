"""Routes that give label maps out and take them in."""

import json
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO

import numpy as np
from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from hdgan.artifacts.annotation_file import found_classes, guessed_class, labels_in
from hdgan.artifacts.annotation_history import Mark, Stroke
from hdgan.artifacts.annotation_set import class_map_bytes
from hdgan.artifacts.coco import CocoImage, coco_bytes
from hdgan.artifacts.images import png_of
from hdgan.artifacts.label_images import is_image, without_mark
from hdgan.artifacts.outlines.written_geojson import geojson_of
from hdgan.artifacts.qupath_project import QuPathImage, write_qupath_zip
from hdgan.artifacts.writing import storage_errors
from hdgan.class_map import UNLABELLED, LabelMap, painted
from hdgan.web.desk import Desk
from hdgan.web.guard import Refused
from hdgan.web.requests import author_of, base_of, desk_of, reading_of, revision_of

EXPORT = "export-"
"""How files begin that are being sent; a server that was killed leaves one."""

MAX_CLASSES = 1_000
"""Of a file that is imported."""


def export_tile(request: Request) -> Response:
    """A label map of one tile, any revision."""
    tile, reading = reading_of(request)
    kind = request.path_params["format"]
    if kind not in _OF_ONE:
        raise Refused(404, f"A label map is given as {', '.join(_OF_ONE)}.")
    desk = desk_of(request)
    revision = revision_of(request)
    labels = desk.history.labels(tile, reading, revision)
    ending, media_type, made = _OF_ONE[kind]
    suffix = "" if reading == 1 else f"-reading{reading}"
    suffix += "" if revision is None else f"-revision{revision}"
    return Response(
        made(desk, tile, labels),
        media_type=media_type,
        headers={"content-disposition": _attachment(f"{tile}{suffix}.{ending}")},
    )


def export_all(request: Request) -> Response:
    """The first reading of every painted tile, as one file."""
    kind = request.path_params["format"]
    if kind not in _OF_ALL:
        raise Refused(404, f"Label maps are given as {', '.join(_OF_ALL)}.")
    desk = desk_of(request)
    if kind != "qupath" and not desk.outlook().painted:
        raise Refused(409, "Nothing is painted yet.")
    ending, media_type, write = _OF_ALL[kind]
    folder = desk.history.path.parent
    with (
        storage_errors(folder),
        NamedTemporaryFile(dir=folder, prefix=EXPORT, delete=False) as file,
    ):
        path = Path(file.name)
        try:
            write(file, desk)
        except BaseException:
            path.unlink()
            raise
    return FileResponse(
        path,
        media_type=media_type,
        headers={"content-disposition": _attachment(f"label-maps-{kind}.{ending}")},
        background=BackgroundTask(path.unlink),
    )


async def take_in(request: Request) -> Response:
    """Say which classes a file has; if told what they are, lay its label map over the tile's."""
    tile, reading = reading_of(request)
    name = request.query_params.get("name", "")[:200] or "The file"
    desk, data = desk_of(request), await request.body()
    classes = request.query_params.get("classes")
    if classes is None:
        found = await run_in_threadpool(found_classes, data, name, tile)
        of_image = is_image(data)
        told = [
            {
                "name": own.encode(errors="replace").decode(),
                "outlines": count,
                "class": guessed_class(own, desk.class_map, of_image=of_image),
            }
            for own, count in found[:MAX_CLASSES]
        ]
        return JSONResponse({"found": told})
    base, author, class_of = base_of(request), author_of(request), _class_of(classes)
    shown = desk.source.tiles[tile]

    def taken_in() -> int:
        labels = labels_in(data, name, class_of, shown.height, shown.width, tile)
        if base > desk.history.head(tile, reading):
            raise Refused(404, "There is no such revision.")
        before = desk.history.labels(tile, reading, base)
        laid_over = np.where(labels == UNLABELLED, before, labels).astype(np.uint8)
        stroke = Stroke("import", 0, 0, laid_over)
        revision = desk.save(tile, reading, base, stroke, author, 0.0).revision
        if reading == 1 and desk.history.marks().get(tile, Mark()).verdict is None:
            desk.mark(tile, {"verdict": "keep"}, author)
        return revision

    return JSONResponse({"revision": await run_in_threadpool(taken_in)}, 201)


def qupath_images(desk: Desk) -> Iterator[QuPathImage]:
    """The tiles that are kept or painted, or else those suggested, or else all; one at a time."""
    painted_on = set(desk.outlook().painted)
    for tile in desk.chosen():
        shown = desk.source.tiles[tile]
        labels = desk.history.labels(tile, 1) if tile in painted_on else None
        yield QuPathImage(tile, desk.source.pixels(tile), labels, shown.spacing_um)


def _class_of(text: str) -> dict[str, int]:
    """What each class of a file is here.

    Raises:
        Refused: it is no such JSON.
    """
    try:
        classes = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Refused(422, "classes must be JSON.") from error
    if not isinstance(classes, dict) or len(classes) > MAX_CLASSES:
        raise Refused(422, "classes must name a number for each class of the file.")
    for value in classes.values():
        if type(value) is not int or not 0 <= value <= UNLABELLED:
            raise Refused(422, f"A class is a number from 0 to {UNLABELLED}.")
    return classes


def _attachment(name: str) -> str:
    """A header under which a browser saves a file."""
    plain = "".join(letter if letter.isalnum() or letter in "-_." else "_" for letter in name)
    return f'attachment; filename="{plain.encode("ascii", "replace").decode().replace("?", "_")}"'


def _painted_maps(desk: Desk) -> Iterator[tuple[str, LabelMap]]:
    for tile in desk.outlook().painted:
        yield tile, desk.history.labels(tile, 1)


def _png(desk: Desk, _: str, labels: LabelMap) -> bytes:
    return png_of(without_mark(labels, desk.class_map))


def _geojson(desk: Desk, _: str, labels: LabelMap) -> bytes:
    return geojson_of(labels, desk.class_map)


def _coco(desk: Desk, tile: str, labels: LabelMap) -> bytes:
    return coco_bytes([CocoImage(f"{tile}.png", labels)], desk.class_map)


def _write_png(file: IO[bytes], desk: Desk) -> None:
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("classes.json", class_map_bytes(desk.class_map))
        for tile, labels in _painted_maps(desk):
            plain = without_mark(labels, desk.class_map)
            archive.writestr(f"labels/{tile}.png", png_of(plain))
            archive.writestr(f"colours/{tile}.png", png_of(painted(plain, desk.class_map)))


def _write_geojson(file: IO[bytes], desk: Desk) -> None:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("classes.json", class_map_bytes(desk.class_map))
        for tile, labels in _painted_maps(desk):
            archive.writestr(f"{tile}.geojson", geojson_of(labels, desk.class_map))


def _write_coco(file: IO[bytes], desk: Desk) -> None:
    images = (CocoImage(f"{tile}.png", labels) for tile, labels in _painted_maps(desk))
    file.write(coco_bytes(images, desk.class_map))


def _write_qupath(file: IO[bytes], desk: Desk) -> None:
    write_qupath_zip(file, qupath_images(desk), desk.class_map)


_OF_ONE: dict[str, tuple[str, str, Callable[[Desk, str, LabelMap], bytes]]] = {
    "png": ("png", "image/png", _png),
    "geojson": ("geojson", "application/geo+json", _geojson),
    "coco": ("json", "application/json", _coco),
}
_OF_ALL: dict[str, tuple[str, str, Callable[[IO[bytes], Desk], None]]] = {
    "png": ("zip", "application/zip", _write_png),
    "geojson": ("zip", "application/zip", _write_geojson),
    "coco": ("json", "application/json", _write_coco),
    "qupath": ("zip", "application/zip", _write_qupath),
}

_READING = "/api/tiles/{tile}/readings/{reading:int}"

ROUTES = [
    Route(f"{_READING}/export/{{format}}", export_tile),
    Route(f"{_READING}/import", take_in, methods=["POST"]),
    Route("/api/export/{format}", export_all),
]
