"""The page of `review` and what it asks for: FastAPI on this machine's loopback, opened by a token."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Annotated, Any

from fastapi import Cookie, FastAPI, HTTPException, Query, Request
from fastapi.responses import FileResponse, JSONResponse, RedirectResponse, Response
from pydantic import BaseModel
from starlette.middleware.trustedhost import TrustedHostMiddleware

from shared.errors import UserError
from shared.labelling.desk import Desk

PAGE = Path(__file__).parent / "page"
COOKIE = "review"
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}

Token = Annotated[str, Cookie(alias=COOKIE)]


class Decided(BaseModel):
    """What the page sends when a reviewer has decided."""

    id: str
    reviewer: str
    rejected: bool = False
    value: Any = None
    seconds: float = 0.0


class Reviewer(BaseModel):
    """Who asks."""

    reviewer: str


def make_app(desk: Desk, *, token: str, title: str) -> FastAPI:
    """Return the application; without the token, which the first address brings, it answers 403."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"])

    @app.middleware("http")
    async def guarded(request: Request, answer: Any) -> Response:
        given = request.query_params.get("token") or request.cookies.get(COOKIE, "")
        if not secrets.compare_digest(given.encode(), token.encode()):
            return JSONResponse({"problem": "open the address that `review` printed"}, 403, headers=HEADERS)
        response: Response = await answer(request)
        response.headers.update(HEADERS)
        return response

    @app.exception_handler(UserError)
    async def mistaken(request: Request, error: UserError) -> JSONResponse:
        return JSONResponse({"problem": str(error)}, 422)

    @app.get("/")
    def page(token: str = "") -> Response:
        if not token:
            return FileResponse(PAGE / "review.html")
        response = RedirectResponse("/", 303)
        response.set_cookie(COOKIE, token, httponly=True, samesite="strict")
        return response

    @app.get("/{name}.{ending}")
    def asset(name: str, ending: str) -> Response:
        if f"{name}.{ending}" not in ("review.css", "review.js", "editors.js"):
            raise HTTPException(404)
        return FileResponse(PAGE / f"{name}.{ending}")

    @app.get("/api/next")
    def following(reviewer: str, after: str = "") -> dict[str, Any]:
        return _next(desk, reviewer, after=after)

    @app.get("/api/text")
    def text(reviewer: str, id: Annotated[str, Query()]) -> dict[str, Any]:
        return _shown(desk, reviewer, id)

    @app.post("/api/decisions")
    def decide(decided: Decided) -> dict[str, Any]:
        entered = desk.decide(
            decided.id,
            decided.reviewer,
            value=decided.value,
            rejected=decided.rejected,
            seconds=decided.seconds,
        )
        return {**_next(desk, decided.reviewer, after=decided.id), "entered": entered.action}

    @app.post("/api/undo")
    def undo(asked: Reviewer) -> dict[str, Any]:
        return _shown(desk, asked.reviewer, desk.undo(asked.reviewer))

    @app.get("/api/about")
    def about() -> dict[str, Any]:
        return {"title": title, "labels": desk.form.labels()}

    @app.get("/api/agreement")
    def agreement() -> list[dict[str, Any]]:
        return desk.agreement()

    return app


def _next(desk: Desk, reviewer: str, *, after: str) -> dict[str, Any]:
    name = desk.next(reviewer, after=after)
    if name is None:
        return {"item": None, "progress": desk.progress(reviewer)}
    return _shown(desk, reviewer, name)


def _shown(desk: Desk, reviewer: str, name: str) -> dict[str, Any]:
    return {"item": desk.item(name, reviewer), "progress": desk.progress(reviewer)}
