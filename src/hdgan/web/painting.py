"""Routes of the painter: label maps, strokes, superpixels, predictions."""

import asyncio
import gzip

import numpy as np
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from hdgan.artifacts.annotation_history import Stroke
from hdgan.class_map import LabelMap
from hdgan.web.assistant import SupersededError
from hdgan.web.guard import Refused
from hdgan.web.predictor import Prediction
from hdgan.web.requests import (
    PredictionBody,
    TimeBody,
    author_of,
    base_of,
    body_of,
    desk_of,
    needed_number,
    number_in,
    reading_of,
    revision_of,
    seconds_in,
    tile_of,
    unpacked_labels,
)

AREAS = range(25, 10_001)
"""Areas of a superpixel that may be asked for, px."""


def labels(request: Request) -> Response:
    """The label map of a revision; its number is the ETag."""
    tile, reading = reading_of(request)
    history = desk_of(request).history
    revision = revision_of(request)
    if revision is None:
        revision = history.head(tile, reading)
    return _label_bytes(history.labels(tile, reading, revision), {"etag": f'"{revision}"'})


def revisions(request: Request) -> Response:
    """Every revision of a reading, without pixels."""
    found = desk_of(request).history.revisions(*reading_of(request))
    return JSONResponse([vars(revision) for revision in found])


def rectangle(request: Request) -> Response:
    """What a revision changed, before or after."""
    tile, reading = reading_of(request)
    revision = revision_of(request)
    if not revision:
        raise Refused(404, "There is no such revision.")
    after = request.url.path.endswith("/after")
    return _label_bytes(desk_of(request).history.rectangle(tile, reading, revision, after=after))


async def save(request: Request) -> Response:
    """Take in a stroke."""
    tile, reading = reading_of(request)
    desk, base, author = desk_of(request), base_of(request), author_of(request)
    shown = desk.source.tiles[tile]
    x, y, width, height = (needed_number(request, name) for name in ("x", "y", "width", "height"))
    kind, undoes = request.query_params.get("kind", ""), number_in(request, "undoes")
    seconds, packed = seconds_in(request), await request.body()

    def saved() -> dict[str, object]:
        painted = unpacked_labels(packed, width, height, shown.width * shown.height)
        stroke = Stroke(kind, x, y, painted, undoes)
        made = desk.save(tile, reading, base, stroke, author, seconds)
        return {"revision": made.revision, "minutes": desk.minutes(tile)}

    return JSONResponse(await run_in_threadpool(saved), 201)


async def time(request: Request) -> Response:
    """Take in how long somebody looked at a reading."""
    tile, reading = reading_of(request)
    desk, author = desk_of(request), author_of(request)
    body = await body_of(request, TimeBody)
    await run_in_threadpool(desk.add_time, tile, reading, author, body.seconds, body.report)
    return JSONResponse({"minutes": await run_in_threadpool(desk.minutes, tile)})


def superpixels(request: Request) -> Response:
    """The superpixels of a block."""
    tile = tile_of(request)
    area = number_in(request, "area") or 400
    if area not in AREAS:
        raise Refused(422, f"area must be from {AREAS[0]} to {AREAS[-1]} px.")
    column, row = request.path_params["column"], request.path_params["row"]
    segments = desk_of(request).source.superpixels(tile, column, row, area)
    if segments is None:
        raise Refused(404, "The tile has no such block.")
    return Response(segments.astype("<u2").tobytes(), media_type="application/octet-stream")


async def prediction(request: Request) -> Response:
    """The prediction of a tile, from everything that is painted."""
    tile = tile_of(request)
    desk, wish = desk_of(request), await body_of(request, PredictionBody)
    if wish.revision > await run_in_threadpool(desk.history.head, tile, wish.reading):
        raise Refused(404, "There is no such revision.")
    try:
        future = await run_in_threadpool(desk.predict, tile, wish.reading, wish.revision)
        made = await asyncio.wrap_future(future)
    except SupersededError as error:
        return JSONResponse({"error": str(error)}, 409)
    return Response(status_code=204) if made is None else _prediction_bytes(made, wish.revision)


def _prediction_bytes(made: Prediction, revision: int) -> Response:
    content = np.concatenate([made.labels.ravel(), made.uncertainty.ravel()]).tobytes()
    headers = {
        "x-revision": str(revision),
        "x-seconds": f"{made.seconds:.3f}",
        "x-learned": str(made.num_learned),
        "x-largest": f"{made.largest_uncertainty:.6f}",
    }
    return Response(content, headers=headers, media_type="application/octet-stream")


def _label_bytes(values: LabelMap, headers: dict[str, str] | None = None) -> Response:
    return Response(
        gzip.compress(values.tobytes(), 1, mtime=0),
        headers={"content-encoding": "gzip", **(headers or {})},
        media_type="application/octet-stream",
    )


_READING = "/api/tiles/{tile}/readings/{reading:int}"

ROUTES = [
    Route(f"{_READING}/labels", labels),
    Route(f"{_READING}/revisions", revisions),
    Route(f"{_READING}/revisions", save, methods=["POST"]),
    Route(f"{_READING}/revisions/{{revision:int}}/before", rectangle),
    Route(f"{_READING}/revisions/{{revision:int}}/after", rectangle),
    Route(f"{_READING}/time", time, methods=["POST"]),
    Route("/api/tiles/{tile}/superpixels/{column:int}/{row:int}", superpixels),
    Route("/api/tiles/{tile}/prediction", prediction, methods=["POST"]),
]
