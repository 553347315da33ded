"""What can be wrong, said in one sentence for people; nothing here knows HTTP.

The message is a gettext id in the source language (Chinese) with named places: pages translate it, then fill it.
"""

from collections.abc import Mapping


class DomainError(Exception):
    """A refusal with a sentence. `field` names the form field it belongs to, where there is one."""

    code = "error"

    def __init__(self, message: str, *, field: str | None = None, **values: object) -> None:
        self.message = message
        self.values: Mapping[str, object] = values
        self.field = field
        super().__init__(message.format(**values) if values else message)


class NotFound(DomainError):
    """Not there, or not yours: the two look alike on purpose."""

    code = "not_found"


class NotAllowed(DomainError):
    """You may see it, but this is not for you to do."""

    code = "not_allowed"


class Conflict(DomainError):
    """Someone or something was quicker, or it was done already."""

    code = "conflict"


class NotPossible(DomainError):
    """The wish itself cannot be met: wrong value, wrong state, wrong time."""

    code = "not_possible"


class Unavailable(DomainError):
    """A source, the calendar or a server is not there now; trying again later makes sense."""

    code = "unavailable"
