"""The pages, by the people who use them."""

from web.pages import (
    bank,
    bank_credit,
    bank_desk,
    bank_line,
    bank_sheet,
    city,
    demands,
    district,
    entry,
    firm,
    firm_data,
    papers,
)

ROUTERS = (
    entry.router,
    firm.router,
    firm_data.router,
    firm_data.open_router,
    bank_sheet.router,  # before the lists: 'answers' is no list's number
    bank.router,
    bank_line.router,
    bank_credit.router,
    bank_desk.router,
    district.router,
    demands.router,
    city.router,
    papers.router,
    papers.city_router,
)
