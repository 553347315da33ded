"""Products: what is on offer, and the places and the money that may never be oversold."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from service.domain.errors import Conflict
from service.store.bulk import add_rows, change_rows, next_ids
from service.store.standing import as_json

OF_BANK = text("""
    SELECT p.*, coalesce(u.used, 0) AS used_today FROM product p
    LEFT JOIN place_use u ON u.product_id = p.id AND u."on" = :today
    WHERE CAST(:bank_id AS bigint) IS NULL OR p.bank_id = :bank_id ORDER BY p.bank_id, p.code
""")
VERSIONS = text("""
    SELECT v.version, v.terms, v.changed_at, x.name AS person_name
    FROM product_version v JOIN product p ON p.id = v.product_id LEFT JOIN person x ON x.id = v.changed_by
    WHERE p.id = :id AND p.bank_id = :bank_id ORDER BY v.version
""")
LOCK = text("SELECT * FROM product WHERE id = ANY (:ids) ORDER BY id FOR UPDATE")
MOVE_MONEY = text("""
    WITH locked AS MATERIALIZED (SELECT id FROM product WHERE id = ANY (:ids) ORDER BY id FOR UPDATE)
    UPDATE product p SET reserved_fen = p.reserved_fen + n.reserved, granted_fen = p.granted_fen + n.granted
    FROM locked JOIN jsonb_to_recordset(CAST(:rows AS jsonb)) AS n (id bigint, reserved bigint, granted bigint)
      ON n.id = locked.id
    WHERE p.id = locked.id
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


class Purse:
    """The money of locked products as a batch moves it, one item after the other; `move_money` writes it at the end.

    `reserved`, `granted`: product → what is to be added to it, in fen.
    """

    def __init__(self, locked: Iterable[Row[Any]]) -> None:
        self._product = {row.id: row for row in locked}
        self.reserved: Counter[int] = Counter()
        self.granted: Counter[int] = Counter()

    def move(self, product_id: int, *, reserved: int, granted: int) -> None:
        """Add to (or take from) what is reserved and granted; Conflict, and nothing moved, past the quota."""
        product, more = self._product[product_id], reserved + granted
        held = product.reserved_fen + product.granted_fen + self.reserved[product_id] + self.granted[product_id]
        if product.quota_fen is not None and more > 0 and held + more > product.quota_fen:
            raise _over_quota()
        self.reserved[product_id] += reserved
        self.granted[product_id] += granted


def _over_quota() -> Conflict:
    return Conflict("产品剩余额度不足")


def lock_purse(tx: Session, product_ids: Iterable[int]) -> Purse:
    """Lock the products in the order of their ids."""
    ids = sorted(set(product_ids))
    return Purse(tx.execute(LOCK, {"ids": ids}).all() if ids else ())


def move_money(tx: Session, reserved: Mapping[int, int], granted: Mapping[int, int]) -> None:
    """Add to (or take from) what is reserved and granted of each product; Conflict where a quota would be passed.

    The condition is in the UPDATE itself and a CHECK stands behind it: no two transactions can pass it together.
    """
    ids = sorted({*reserved, *granted})
    rows = [{"id": one, "reserved": reserved.get(one, 0), "granted": granted.get(one, 0)} for one in ids]
    if not rows:
        return
    if int(tx.execute(MOVE_MONEY, {"ids": ids, "rows": as_json(rows)}).rowcount) != len(rows):  # type: ignore[attr-defined]
        raise _over_quota()


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


def places_used(tx: Session, day: date) -> dict[int, int]:
    """Product → places used on the day."""
    rows = tx.execute(text('SELECT product_id, used FROM place_use WHERE "on" = :day'), {"day": day})
    return {row.product_id: row.used for row in rows}


def list_named(tx: Session) -> Sequence[Row[Any]]:
    """Every product that is or was on offer: id, name, bank_name."""
    query = "SELECT p.id, p.name, b.name AS bank_name FROM product p JOIN bank b ON b.id = p.bank_id ORDER BY p.id"
    return tx.execute(text(query)).all()


def list_of_bank(tx: Session, bank_id: int | None, today: date) -> Sequence[Row[Any]]:
    """A bank's products (of all banks without one) with the places used today."""
    return tx.execute(OF_BANK, {"bank_id": bank_id, "today": today}).all()


def list_versions(tx: Session, bank_id: int | None, product_id: int) -> Sequence[Row[Any]]:
    """Every version of one of the bank's own products, the first one first, with who made it; empty for others'."""
    return tx.execute(VERSIONS, {"id": product_id, "bank_id": bank_id}).all()


def find_by_code(tx: Session, bank_id: int, code: str) -> Row[Any] | None:
    """The bank's product of this code, locked."""
    found = text("SELECT * FROM product WHERE bank_id = :bank_id AND code = :code FOR UPDATE")
    return tx.execute(found, {"bank_id": bank_id, "code": code}).one_or_none()


def add(tx: Session, row: Mapping[str, Any]) -> int:
    """Enter a product; its key."""
    (key,) = next_ids(tx, "product", 1)
    add_rows(tx, "product", [{"id": key, **row}])
    return key


def change(tx: Session, product_id: int, columns: Mapping[str, Any]) -> None:
    """Write a product's new terms."""
    change_rows(tx, "product", "id", [{"id": product_id, **columns}])


def add_version(
    tx: Session, product_id: int, version: int, terms_of_it: Mapping[str, Any], person_id: int | None, now: datetime
) -> None:
    """Freeze a version of a product."""
    (key,) = next_ids(tx, "product_version", 1)
    row = {"id": key, "product_id": product_id, "version": version, "terms": terms_of_it, "changed_by": person_id}
    add_rows(tx, "product_version", [row | {"changed_at": now}])
