"""The page as an application: routes, static files, errors in one sentence, and the guard."""

import logging
import mimetypes
from collections.abc import Mapping
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from hdgan.artifacts.annotation_history import Revision
from hdgan.errors import FinishedError, HdganError, InputError, StaleRevisionError, StorageError
from hdgan.web import gallery, painting, transfer
from hdgan.web.desk import Desk
from hdgan.web.guard import LOG, Guard, Refused, Secret

STATIC = Path(__file__).parent / "static"
"""The page's own files."""

mimetypes.add_type("text/javascript", ".js")  # some computers say it is plain text

_STATUS = ((StaleRevisionError, 412), (FinishedError, 409), (InputError, 422), (StorageError, 507))


def page(desk: Desk, secret: Secret, port: int, session: Mapping[str, object]) -> ASGIApp:
    """The guarded application.

    Args:
        desk: what it works on.
        secret: what lets a browser in.
        port: of the server.
        session: what the page is told at first.
    """
    app = Starlette(
        routes=[
            Route("/", index),
            *gallery.ROUTES,
            *painting.ROUTES,
            *transfer.ROUTES,
            Mount("/static", StaticFiles(directory=STATIC)),
        ],
        exception_handlers={
            Refused: _refused,
            HdganError: _failed,
            ClientDisconnect: _left,
            Exception: _broken,
            404: _nothing,
            405: _nothing,
        },
    )
    app.router.redirect_slashes = False
    app.state.desk, app.state.session = desk, dict(session)
    return Guard(app, secret, port)


def index(_: Request) -> Response:
    """The page."""
    return FileResponse(STATIC / "index.html")


def _refused(request: Request, error: Exception) -> Response:
    status = error.status if isinstance(error, Refused) else 400
    _log(request, status, error)
    return JSONResponse({"error": str(error)}, status)


def _failed(request: Request, error: Exception) -> Response:
    """What may befall a user, as one sentence."""
    status = next((status for kind, status in _STATUS if isinstance(error, kind)), 503)
    _log(request, status, error)
    content: dict[str, object] = {"error": " ".join(str(error).split())}
    if isinstance(error, StaleRevisionError) and isinstance(error.newest, Revision):
        newest = error.newest
        content |= {name: vars(newest)[name] for name in ("revision", "author", "at", "kind")}
    return JSONResponse(content, status)


def _nothing(request: Request, _: Exception) -> Response:
    _log(request, 404, "no such address")
    return JSONResponse({"error": "There is nothing at this address."}, 404)


def _left(_: Request, __: Exception) -> Response:
    """Nobody waits for an answer any more."""
    return Response(status_code=400)


def _broken(request: Request, error: Exception) -> Response:
    """A fault of this program; the server goes on, and its terminal has the traceback."""
    _log(request, 500, repr(error))
    sentence = "Something went wrong in this program. What was saved before is kept."
    return JSONResponse({"error": f"{sentence} The terminal says more."}, 500)


def _log(request: Request, status: int, reason: object) -> None:
    """One line, whatever the request tries to put into it."""
    LOG.log(
        logging.WARNING,
        "refused %s %s: %s %s",
        request.method,
        ascii(request.url.path[:200]),
        status,
        ascii(" ".join(str(reason).split())[:300])[1:-1],
    )
