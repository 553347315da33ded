"""The pages, by the people who use them."""

from web.pages import entry

ROUTERS = (entry.router,)
