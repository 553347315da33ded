"""Walk a firm's browser over the questions of a report to the page where all answers are checked."""

from tests.browser import Browser, Page

STEPS = {
    "amount": ("amount_fen",),
    "term": ("term_months",),
    "use": ("use", "use_text", "wants_renewal_without_repayment"),
    "rate": ("rate_ceiling",),
    "guarantees": ("guarantees",),
    "banks": ("first_bank", "second_bank", "third_bank", "reserve"),
}


def fills_in(firm: Browser, **answers: object) -> Page:
    """Answer page after page; the first page that is refused, or the check of all answers."""
    page = firm.opens("/firm/demands/new")
    for step, names in STEPS.items():
        page = firm.sends(f"/firm/reports/{step}", **{name: answers[name] for name in names if name in answers})
        if page.status != 200:
            break
    return page
