"""JSON under /api/v1, by the people whose machines use it; it calls the same actions as the pages."""

from service.api import banks, firms, officials

ROUTERS = (banks.router, firms.router, officials.router)
