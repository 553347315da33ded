"""What banks have on offer on a day, as the matching library reads it; and which model the platform uses."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any, get_type_hints

from sqlalchemy import Row, text
from sqlmodel import Session

from matching.terms import Product

ON_OFFER = text("""
    SELECT p.*, b.decide_days FROM product p JOIN bank b ON b.id = p.bank_id
    WHERE p.from_on <= :today AND (p.until_on IS NULL OR p.until_on >= :today)
      AND b.joined_on <= :today AND (b.left_on IS NULL OR b.left_on > :today)
    ORDER BY p.id
""")
KINDS = get_type_hints(Product)


def list_matching(tx: Session, today: date) -> tuple[Product, ...]:
    """Every product on offer on the day, in the order of the keys."""
    return tuple(_in_time(product_of(row), row.decide_days) for row in tx.execute(ON_OFFER, {"today": today}))


def _in_time(product: Product, days: int | None) -> Product:
    """With the working days the bank promises for a decision, where it promises any."""
    return product if days is None else replace(product, decision_days=days)


def product_of(row: Row[Any]) -> Product:
    """One product's row with its admission criteria, whose names are those of `matching.terms.Product`."""
    criteria = {name: _typed(KINDS[name], value) for name, value in row.criteria.items() if value is not None}
    left = None if row.quota_fen is None else row.quota_fen - row.reserved_fen - row.granted_fen
    return Product(
        id=row.id,
        bank_id=row.bank_id,
        name=row.name,
        amount_min_fen=row.amount_min_fen,
        amount_max_fen=row.amount_max_fen,
        term_min_months=row.term_min_months,
        term_max_months=row.term_max_months,
        rate_min=row.rate_min,
        rate_max=row.rate_max,
        guarantees=frozenset(row.loan_types),
        places_per_day=row.places_per_day,
        quota_left_fen=left,
        **criteria,
    )


def _typed(kind: Any, value: Any) -> Any:
    if isinstance(value, list):
        return frozenset(value)
    return Decimal(str(value)) if Decimal in getattr(kind, "__args__", ()) else value


def model_in_use(tx: Session) -> str | None:
    """The version of the model the platform estimates with; none before the first is trained."""
    found: str | None = tx.execute(text("SELECT model_version FROM platform_state WHERE id = 1")).scalar()
    return found
