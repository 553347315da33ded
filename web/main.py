"""The whole platform as people meet it: the service, dressed in pages. `create_app` is what the server starts."""

from collections import deque

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from starlette.middleware.gzip import GZipMiddleware

import service.app
import service.settings
from service.clock import Clock
from service.settings import Settings
from service.store.database import Database
from service.store.server import prepare_server
from web import assets, display, errors, styleguide, tiles
from web.csrf import OwnSiteOnly
from web.headers import Careful
from web.language import Speaks
from web.shell import Dress

WORTH_PACKING = 1_000  # bytes


def dress(app: FastAPI, settings: Settings, clock: Clock) -> FastAPI:
    """Put pages around a service: files, headers, language, error pages and the display switches."""
    app.state.dress = Dress(settings=settings, clock=clock, key=settings.secret_key)
    app.mount(assets.ADDRESS, assets.Assets(), name="static")
    app.include_router(display.router)
    if settings.demo:
        app.include_router(styleguide.router)
    errors.install(app)
    app.add_middleware(errors.LastResort)
    app.add_middleware(GZipMiddleware, minimum_size=WORTH_PACKING, compresslevel=4)
    app.add_middleware(OwnSiteOnly)
    app.add_middleware(Careful, is_https=settings.is_https)
    app.add_middleware(Speaks, fallback=settings.language)
    return app


def build_app(settings: Settings, database: Database, clock: Clock) -> FastAPI:
    """The service with its API and all pages, over an open database: what tests and `create_app` share."""
    from service.api import ROUTERS as API
    from web.pages import ROUTERS as PAGES

    tiles.ground(settings.map)  # a map that cannot be used is told now, not to whoever opens it
    app = service.app.create_app(settings, database, clock, (*API, *PAGES))
    return dress(app, settings, clock)


def create_app() -> FastAPI:
    """The factory uvicorn calls in each page process (`xindeng serve`): settings from the environment."""
    known = service.settings.settings()
    database = Database(prepare_server(known), known.pool_size)
    app = build_app(known, database, Clock(known.demo_on))
    deque(iter_route_contexts(app.routes), maxlen=0)  # worked out now, for a second, and not while a visitor waits
    return app
