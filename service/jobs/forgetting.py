"""What the nightly tidying forgets of people: enquiries by code whose time is over, messages that left long ago."""

from datetime import timedelta

from service.actions.answer_enquiry import AT_ONCE, forget_enquiries
from service.clock import Clock, machine_now
from service.domain.people import the_platform
from service.settings import Settings
from service.store import outgoing, password_codes
from service.store.database import transaction

MESSAGES_KEPT, CODES_KEPT = timedelta(days=183), timedelta(days=1)


def forget_old_messages(settings: Settings) -> int:
    """Remove messages that left, or did not, half a year ago; how many."""
    with transaction(the_platform("tidy")) as tx:
        return outgoing.forget(tx, Clock(settings.demo_on).today() - MESSAGES_KEPT)


def forget_old_codes() -> int:
    """Remove what was asked for by whoever forgot a password, a day later; how many."""
    with transaction(the_platform("tidy")) as tx:
        return password_codes.forget(tx, machine_now() - CODES_KEPT)


def forget_old_enquiries(settings: Settings) -> int:
    """Take name and telephone from enquiries whose time is over, batch by batch; how many."""
    clock = Clock(settings.demo_on)
    platform, forgotten = the_platform("tidy"), 0
    while True:
        with transaction(platform) as tx:
            batch = forget_enquiries(tx, platform, settings.enquiry_days, clock.today(), clock.now())
        forgotten += batch
        if batch < AT_ONCE:
            return forgotten
