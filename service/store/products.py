"""Products: what is on offer, and the places and the money that may never be oversold."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from service.domain.errors import Conflict
from service.store.standing import as_json

LOCK = text("SELECT * FROM product WHERE id = ANY (:ids) ORDER BY id FOR UPDATE")
MOVE_MONEY = text("""
    UPDATE product p SET reserved_fen = p.reserved_fen + n.reserved, granted_fen = p.granted_fen + n.granted
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS n (id bigint, reserved bigint, granted bigint)
    WHERE p.id = n.id
      AND (p.quota_fen IS NULL OR n.reserved + n.granted <= 0
           OR p.reserved_fen + p.granted_fen + n.reserved + n.granted <= p.quota_fen)
""")
TAKE_PLACES = text("""
    INSERT INTO place_use AS u (product_id, "on", places, used)
    SELECT n.id, :day, p.places_per_day, n.places
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS n (id bigint, places integer) JOIN product p ON p.id = n.id
    WHERE n.places <= p.places_per_day ORDER BY n.id
    ON CONFLICT (product_id, "on") DO UPDATE SET used = u.used + EXCLUDED.used
        WHERE u.used + EXCLUDED.used <= u.places
""")
FREE_PLACES = text("""
    UPDATE place_use u SET used = greatest(u.used - n.places, 0)
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS n (id bigint, places integer)
    WHERE u.product_id = n.id AND u."on" = :day
""")


def lock(tx: Session, product_ids: Sequence[int]) -> Sequence[Row[Any]]:
    """Lock the products in the order of their ids."""
    return tx.execute(LOCK, {"ids": sorted(set(product_ids))}).all()


def move_money(tx: Session, reserved: Mapping[int, int], granted: Mapping[int, int]) -> None:
    """Add to (or take from) what is reserved and granted of each product; Conflict where a quota would be passed.

    The condition is in the UPDATE itself and a CHECK stands behind it: no two transactions can pass it together.
    """
    ids = sorted({*reserved, *granted})
    rows = [{"id": one, "reserved": reserved.get(one, 0), "granted": granted.get(one, 0)} for one in ids]
    if not rows:
        return
    lock(tx, ids)
    if int(tx.execute(MOVE_MONEY, {"rows": as_json(rows)}).rowcount) != len(rows):  # type: ignore[attr-defined]
        raise Conflict("产品剩余额度不足")


def free_money(tx: Session, money: Mapping[int, int]) -> None:
    """Reserved money goes back to the quota."""
    move_money(tx, {one: -fen for one, fen in money.items() if fen}, {})


def take_places(tx: Session, places: Mapping[int, int], day: date) -> None:
    """Use places of a day; Conflict where a product has too few left."""
    rows = [{"id": one, "places": count} for one, count in sorted(places.items()) if count]
    if not rows:
        return
    if int(tx.execute(TAKE_PLACES, {"rows": as_json(rows), "day": day}).rowcount) != len(rows):  # type: ignore[attr-defined]
        raise Conflict("产品当日名额不足")


def free_places(tx: Session, places: Mapping[int, int], day: date) -> None:
    """Places of a day that are free again."""
    rows = [{"id": one, "places": count} for one, count in sorted(places.items()) if count]
    if rows:
        tx.execute(FREE_PLACES, {"rows": as_json(rows), "day": day})
