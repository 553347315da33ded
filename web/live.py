"""Polled parts: 'nothing has changed' said without looking, where Redis carries the word of every change."""

import hashlib
from datetime import date

from fastapi import Request
from starlette.responses import Response

from service.clock import machine_now
from service.domain.people import Who
from service.doors import House
from web.language import spoken
from web.render import VARY, wants_part

TRUST_SECONDS = 60
"""For so long a version is believed at most: a process may die between its commit and its word."""


def unchanged(request: Request, house: House, who: Who, today: date, topic: str) -> Response | None:
    """304 where this browser's part was made since the topic last changed; None where one has to look.

    Called before the page's own queries; `render.page` writes the mark into the part's ETag. The mark is of this
    person, this day and this language, so that nobody learns anything from another's.
    """
    if request.method != "GET" or not wants_part(request):
        return None
    version = house.accelerator.version(topic)
    if version is None:
        return None
    minute = int(machine_now().timestamp() // TRUST_SECONDS)
    mark = hashlib.sha256(repr((topic, version, who, today, spoken(), minute)).encode()).hexdigest()[:20]
    known = request.headers.get("if-none-match", "")
    if f'.{mark}"' in known:
        return Response(status_code=304, headers={"ETag": known, "Vary": VARY})
    request.state.live_mark = mark
    return None
