"""The platform's one row about itself: the demo's fixed day, and the model in use."""

from datetime import date

from sqlalchemy import create_engine, text
from sqlmodel import Session

from service.store.server import ServerAddress, sqlalchemy_url


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


def lock_model(tx: Session) -> str | None:
    """The version in use, or None; nobody else changes it until this transaction ends."""
    tx.execute(text("INSERT INTO platform_state (id, cycle_paused) VALUES (1, false) ON CONFLICT DO NOTHING"))
    found: str | None = tx.execute(text("SELECT model_version FROM platform_state WHERE id = 1 FOR UPDATE")).scalar()
    return found


def is_a_citys(address: ServerAddress) -> bool:
    """Whether somebody works with this database who is no demo: a trail, and no demo's day."""
    engine = create_engine(sqlalchemy_url(address.cycle_url))
    try:
        with engine.connect() as connection:
            if connection.execute(text("SELECT to_regclass('platform_state')")).scalar() is None:
                return False
            connection.execute(text("SELECT set_config('xindeng.role', 'system', false)"))
            demos = connection.execute(text("SELECT count(*) FROM platform_state WHERE demo_on IS NOT NULL")).scalar()
            return not demos and bool(connection.execute(text("SELECT EXISTS (SELECT 1 FROM trail)")).scalar())
    finally:
        engine.dispose()
