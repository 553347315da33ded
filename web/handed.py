"""What the pages hand to the worker at its start: the words of exports and of messages that leave."""

from functools import partial

from service.jobs.tasks import Handed
from service.settings import Settings
from web.message_words import compose
from web.pages.export_kinds import KINDS


def of(settings: Settings) -> Handed:
    return Handed(KINDS, partial(compose, settings))
