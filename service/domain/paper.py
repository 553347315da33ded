"""Papers a bank asked a firm for: a file for each, or the firm's word why there is none."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, Index
from sqlmodel import Field, SQLModel

from service.domain.columns import coded, identity, instant, one_of, points_to

LONGEST_EXCUSE = 500
MOST_FILES = 10
"""Files for one paper asked for: the pages of a contract photographed one by one, not an archive."""


class PaperKind(StrEnum):
    """NONE: the firm has no such paper and says why."""

    PDF = "pdf"
    JPG = "jpg"
    PNG = "png"
    NONE = "none"


class Paper(SQLModel, table=True):
    """One file, or one reason instead. The bank sees it once the firm has handed it in, while its view is open."""

    __table_args__ = (
        one_of("kind", PaperKind, "paper"),
        CheckConstraint("(kind = 'none') = (sha256 = '')", name="paper_file_or_words"),
        CheckConstraint("(kind = 'none') = (words <> '')", name="paper_words_instead"),
        Index("paper_of_line", "line_id", "answer_id"),
    )
    id: int | None = identity()
    line_id: int = points_to("push_line.id", index=False)
    answer_id: int = points_to("answer.id", index=False)
    """The bank's answer that asked for it."""
    demand_id: int = points_to("demand.id", index=False)
    uscc: str = Field(max_length=18, index=True)
    bank_id: int = points_to("bank.id", index=False)
    asked: str = Field(max_length=80)
    """What the bank asked for, in its words."""
    kind: str = coded()
    file_name: str = Field(default="", max_length=120)
    sha256: str = Field(default="", max_length=64)
    size: int = 0
    """Bytes."""
    words: str = Field(default="", max_length=LONGEST_EXCUSE)
    added_at: datetime = instant()
    handed_at: datetime | None = instant(nullable=True)
    removed_at: datetime | None = instant(nullable=True)
