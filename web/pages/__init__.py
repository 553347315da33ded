"""The pages, by the people who use them."""

from web.pages import entry, firm, firm_data

ROUTERS = (entry.router, firm.router, firm_data.router, firm_data.open_router)
