"""The whole platform as people meet it: the service, dressed in pages. `create_app` is what the server starts."""

from fastapi import FastAPI
from starlette.middleware.gzip import GZipMiddleware

from service.clock import Clock
from service.settings import Settings
from web import assets, display, errors, styleguide
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
    app.add_middleware(GZipMiddleware, minimum_size=WORTH_PACKING, compresslevel=4)
    app.add_middleware(OwnSiteOnly)
    app.add_middleware(Careful, is_https=settings.is_https)
    app.add_middleware(Speaks, fallback=settings.language)
    return app
