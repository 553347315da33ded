"""The platform's own work: which runs were made, how far they are, and the calendar and clock they follow."""

from datetime import date, datetime

from sqlalchemy import BigInteger, CheckConstraint, Index
from sqlmodel import Field, SQLModel

from service.domain.columns import identity, instant, words


class Run(SQLModel, table=True):
    """A piece of long work: shown with its progress, kept with its end."""

    __table_args__ = (Index("run_latest", "name", "id"),)
    id: int | None = identity()
    name: str = Field(max_length=40)
    on: date | None = None
    started_at: datetime = instant()
    ended_at: datetime | None = instant(nullable=True)
    state: str = Field(default="running", max_length=12)
    """running, done, failed, cancelled."""
    done: int = 0
    total: int = 0
    message: str = Field(default="", max_length=1000)
    cancel_asked: bool = False


class JobFault(SQLModel, table=True):
    """What went wrong in one try of a job, as the worker met it; gone with its job."""

    __tablename__ = "job_fault"
    id: int | None = identity()
    job_id: int = Field(sa_type=BigInteger, index=True)
    attempt: int
    at: datetime = instant()
    what: str = Field(max_length=400)
    """The fault's kind and the first line of what it says."""
    places: list[str] = words()
    """Where it happened, the innermost last: file, line and function, without any value."""


class CalendarDay(SQLModel, table=True):
    """An operator's word on one day; days not named here follow the published calendar."""

    __tablename__ = "calendar_day"
    on: date = Field(primary_key=True)
    is_working: bool
    note: str = Field(default="", max_length=120)
    changed_by: int | None = None
    changed_at: datetime = instant()


class PlatformState(SQLModel, table=True):
    """One row: the demo's fixed day (empty in real life) and the model in use."""

    __tablename__ = "platform_state"
    __table_args__ = (CheckConstraint("id = 1", name="platform_state_one_row"),)
    id: int = Field(default=1, primary_key=True)
    demo_on: date | None = None
    model_version: str | None = Field(default=None, max_length=64)
    policy_path: str | None = Field(default=None, max_length=200)
    cycle_paused: bool = False
