"""The platform's one row about itself: the demo's fixed day, and the model in use."""

from datetime import date

from sqlalchemy import text
from sqlmodel import Session


def set_demo_day(tx: Session, day: date) -> None:
    """From now on this is a demo, whose calendar stands on `day`."""
    tx.execute(
        text(
            "INSERT INTO platform_state (id, demo_on, cycle_paused) VALUES (1, :day, false)"
            " ON CONFLICT (id) DO UPDATE SET demo_on = :day"
        ),
        {"day": day},
    )


def find_demo_day(tx: Session) -> date | None:
    """The demo's day; None on a real city's platform."""
    found: date | None = tx.execute(text("SELECT demo_on FROM platform_state WHERE id = 1")).scalar()
    return found


def set_model(tx: Session, version: str) -> None:
    """Estimate with this model from now on."""
    tx.execute(
        text(
            "INSERT INTO platform_state (id, model_version, cycle_paused) VALUES (1, :version, false)"
            " ON CONFLICT (id) DO UPDATE SET model_version = :version"
        ),
        {"version": version},
    )
