"""Routes of the gallery: tiles, pictures, verdicts, the goal, agreement, finishing."""

from collections.abc import Callable

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from hdgan.web.agreement import agreement_of
from hdgan.web.guard import Refused
from hdgan.web.requests import MarkBody, author_of, body_of, desk_of, tile_of

_PNG = b"\x89PNG"


def session(request: Request) -> Response:
    """What the page has to know at first."""
    return JSONResponse(request.app.state.session | {"finished": desk_of(request).is_finished})


def tiles(request: Request) -> Response:
    """Every tile."""
    return JSONResponse(desk_of(request).records())


def tile(request: Request) -> Response:
    """One tile."""
    return JSONResponse(desk_of(request).records([tile_of(request)])[0])


def thumbnail(request: Request) -> Response:
    """A small picture of a tile."""
    name = tile_of(request)
    return _picture(request, lambda: desk_of(request).source.thumbnail(name))


def image(request: Request) -> Response:
    """A tile at full size."""
    name = tile_of(request)
    return _picture(request, lambda: desk_of(request).source.image(name))


async def mark(request: Request) -> Response:
    """Take in a verdict or a split."""
    name, desk, author = tile_of(request), desk_of(request), author_of(request)
    body = await body_of(request, MarkBody)
    changes = {field: getattr(body, field) for field in body.model_fields_set}
    if changes.get("split") and not desk.goal:
        raise Refused(422, "Tiles of slides have folds instead of splits.")
    await run_in_threadpool(desk.mark, name, changes, author)
    return JSONResponse((await run_in_threadpool(desk.records, [name]))[0])


async def deal(request: Request) -> Response:
    """Deal the kept tiles to the splits."""
    desk, author = desk_of(request), author_of(request)
    if not desk.goal:
        raise Refused(422, "Tiles of slides have folds instead of splits.")
    dealt = await run_in_threadpool(desk.deal, author)
    return JSONResponse({"tiles": await run_in_threadpool(desk.records, dealt)})


def following(request: Request) -> Response:
    """The tile to paint next."""
    name, why = desk_of(request).next_tile(request.query_params.get("after"))
    return JSONResponse({"tile": name, "why": why})


def agreement(request: Request) -> Response:
    """How far readings agree."""
    return JSONResponse(agreement_of(desk_of(request)))


def outlook(request: Request) -> Response:
    """What finishing would write."""
    desk = desk_of(request)
    found = desk.outlook()
    return JSONResponse(
        {
            "ready": bool(found.painted) and not desk.is_finished,
            "problems": found.problems,
            "counts": found.counts,
            "painted": len(found.painted),
        }
    )


async def finish(request: Request) -> Response:
    """Write the annotation set."""
    author = author_of(request)
    folder, facts = await run_in_threadpool(desk_of(request).finish, author)
    return JSONResponse({"folder": folder, "facts": dict(facts)})


def _picture(request: Request, read: Callable[[], bytes]) -> Response:
    """A picture that a browser may keep as long as it asks whether it is still the same."""
    etag = f'"{desk_of(request).source.artifact.digest[:16]}"'
    headers = {"etag": etag, "cache-control": "private, no-cache"}
    if request.headers.get("if-none-match") == etag:
        return Response(status_code=304, headers=headers)
    content = read()
    kind = "image/png" if content.startswith(_PNG) else "image/jpeg"
    return Response(content, headers=headers, media_type=kind)


ROUTES = [
    Route("/api/session", session),
    Route("/api/tiles", tiles),
    Route("/api/tiles/{tile}", tile),
    Route("/api/tiles/{tile}/thumbnail", thumbnail),
    Route("/api/tiles/{tile}/image", image),
    Route("/api/tiles/{tile}/mark", mark, methods=["PUT"]),
    Route("/api/deal", deal, methods=["POST"]),
    Route("/api/next", following),
    Route("/api/agreement", agreement),
    Route("/api/finish", outlook),
    Route("/api/finish", finish, methods=["POST"]),
]
