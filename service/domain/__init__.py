"""The nouns of the platform: importing this package fills SQLModel's metadata with every table."""

from service.domain import (  # noqa: F401
    bank,
    consent,
    credit,
    demand,
    draft,
    figure,
    firm,
    follow_up,
    model,
    notice,
    pace,
    paper,
    people,
    product,
    profile,
    push_list,
    record,
    rehearsal,
    trail,
    work,
)
