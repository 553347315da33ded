"""Credit reports that were printed: which paper, of which line, for whom, and by what it can be told from another."""

import hashlib
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import BigInteger, UniqueConstraint
from sqlmodel import Field, SQLModel

from service.domain.columns import identity, instant, points_to

SHOWN_OF_NAME = 2
SHOWN_OF_FORM = 4
"""Letters of a masked name that stay: the place at its head, the legal form at its tail."""
SHOWN_OF_CODE = 4


@dataclass(frozen=True)
class Drawn:
    """A document as it was drawn."""

    content: bytes
    pages: int

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()


class IssuedReport(SQLModel, table=True):
    """One paper. The paper itself is not kept: from the same state the same bytes are drawn again, and `sha256` tells.

    `token` opens the public page that says whether the paper is ours; whoever holds the paper has it.
    """

    __tablename__ = "issued_report"
    __table_args__ = (
        UniqueConstraint(
            "line_id",
            "issued_by",
            "issued_on",
            "language",
            "state_hash",
            "edition",
            name="issued_report_once",
            postgresql_nulls_not_distinct=True,
        ),
    )
    id: int | None = identity()
    number: str = Field(max_length=24, unique=True)
    token: str = Field(max_length=64, unique=True)
    line_id: int = points_to("push_line.id")
    demand_id: int = points_to("demand.id", index=False)
    uscc: str = Field(max_length=18, index=True)
    bank_id: int = points_to("bank.id", index=False)
    consent_id: int = points_to("consent.id", index=False)
    """The consent it was printed under."""
    issued_by: int | None = Field(default=None, sa_type=BigInteger)
    """The officer; empty for a machine of the bank."""
    issued_on: date
    issued_at: datetime = instant()
    language: str = Field(max_length=12)
    state_hash: str = Field(max_length=64)
    """What the report says, whoever prints it: another hash of the same line later is a newer report."""
    edition: int = 1
    """2 and on where this machine could not draw the first to the byte again (its fonts have changed)."""
    sha256: str = Field(max_length=64)
    pages: int
    size: int
    """Bytes."""
    records: int
    """Records printed in it."""


def number_of(day: date, key: int) -> str:
    """The number people read and quote: XB, the day, the key."""
    return f"XB{day:%Y%m%d}-{key:06d}"


def masked(name: str) -> str:
    """A firm's name of which a holder of the paper knows it again and nobody else learns it."""
    if len(name) <= SHOWN_OF_NAME + SHOWN_OF_FORM:
        return name[:1] + "＊" * max(len(name) - 1, 0)
    hidden = len(name) - SHOWN_OF_NAME - SHOWN_OF_FORM
    return f"{name[:SHOWN_OF_NAME]}{'＊' * hidden}{name[-SHOWN_OF_FORM:]}"
