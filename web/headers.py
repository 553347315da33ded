"""What every answer tells the browser: run and load only ours, guess nothing, keep nothing, show us in no frame."""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
ALWAYS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), geolocation=(), microphone=(), payment=()",
    "Cache-Control": "no-store",
}
ENCRYPTED = "max-age=31536000"


class Careful:
    """ASGI layer: sets the headers an answer has not set itself."""

    def __init__(self, app: ASGIApp, *, is_https: bool) -> None:
        self.app = app
        self.headers = {**ALWAYS, "Strict-Transport-Security": ENCRYPTED} if is_https else ALWAYS

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)

        async def careful_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                told = MutableHeaders(scope=message)
                for name, value in self.headers.items():
                    told.setdefault(name, value)
            await send(message)

        return await self.app(scope, receive, careful_send)
