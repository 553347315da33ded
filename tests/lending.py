"""The cast of the second half: banks with products, demands ready for a list, lines as a morning leaves them."""

import json
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from matching.evidence import facts_to_json
from matching.fit import asked_facts
from matching.terms import Asked
from service.clock import instant_on
from service.domain.people import Role, Who, the_platform
from service.store.bulk import add_rows, next_ids

TODAY = date(2026, 6, 24)  # a Wednesday
NOW = instant_on(TODAY)
CYCLE = the_platform("cycle")
YUAN = 100
WAN = 10_000 * YUAN


def usccs(number: int) -> str:
    return f"91410199MA{number:07d}X"


@dataclass
class Lending:
    """Builds rows in one transaction of the platform; every demand is green and recommended unless said otherwise."""

    tx: Session
    firms: int = 0
    banks: int = 0
    made: dict[str, int] = field(default_factory=dict)

    def add(self, table: str, **columns: Any) -> int:
        (key,) = next_ids(self.tx, table, 1)
        add_rows(self.tx, table, [{"id": key, **columns}])
        return key

    def bank(self, **columns: Any) -> int:
        self.banks += 1
        row = {"code": f"B{self.banks:03d}", "name": f"第{self.banks}银行", "name_en": "", "kind": "city"}
        return self.add("bank", **row | {"joined_on": date(2024, 1, 1)} | columns)

    def product(self, bank_id: int, **columns: Any) -> int:
        code = f"P{self.made.get('product', 0):03d}"
        self.made["product"] = self.made.get("product", 0) + 1
        row = {
            "bank_id": bank_id, "code": code, "version": 1, "name": f"产品{code}", "name_en": "",
            "amount_min_fen": 1 * WAN, "amount_max_fen": 500 * WAN, "term_min_months": 1, "term_max_months": 36,
            "rate_min": Decimal("0.035"), "rate_max": Decimal("0.06"), "loan_types": ["credit"], "criteria": {},
            "places_per_day": 10, "quota_fen": None, "reserved_fen": 0, "granted_fen": 0,
            "from_on": date(2024, 1, 1), "until_on": None, "changed_at": NOW,
        }  # fmt: skip
        return self.add("product", **row | columns)

    def firm(self, **columns: Any) -> str:
        self.firms += 1
        row = {
            "uscc": usccs(self.firms), "name": f"第{self.firms}公司", "kind": "enterprise", "district": "410105",
            "industry": "F52", "established_on": date(2018, 1, 1), "status": "active", "size_class": "small",
            "wrong_code": False,
        }  # fmt: skip
        add_rows(self.tx, "firm", [row | columns])
        return str((row | columns)["uscc"])

    def consent(self, uscc: str, bank_id: int, **columns: Any) -> int:
        row = {
            "uscc": uscc, "bank_id": bank_id, "purpose": "credit_review", "data_classes": ["shared"],
            "text_hash": "0" * 64, "from_on": date(2026, 1, 1), "until_on": date(2027, 1, 1), "given_at": NOW,
        }  # fmt: skip
        return self.add("consent", **row | columns)

    def demand(
        self, uscc: str | None = None, *, consents: tuple[int, ...] = (), intended: tuple[int, ...] = (),
        light: str = "green", fits: int = 1, **columns: Any,
    ) -> int:  # fmt: skip
        uscc = uscc or self.firm()
        row = {
            "number": f"D{self.firms:06d}{self.made.get('demand', 0):06d}", "uscc": uscc, "district": "410105",
            "amount_fen": 100 * WAN, "term_months": 12, "use": "working_capital", "use_text": "", "guarantees": [],
            "channel": "web", "wants_renewal_without_repayment": False, "reported_on": TODAY, "reported_at": NOW,
            "version": 1, "state": "recommended", "light": light, "light_since_on": TODAY, "recommended_on": TODAY,
            "next_step": "push", "next_by": "platform", "next_on": TODAY, "waits_for_calendar": False,
            "firm_seen_on": TODAY,
        } | columns  # fmt: skip
        self.made["demand"] = self.made.get("demand", 0) + 1
        key = self.add("demand", **row)
        asked = Asked(key, row["amount_fen"], row["term_months"], row["use"], row.get("rate_ceiling"))
        verdict = self.add(
            "verdict", demand_id=key, uscc=uscc, district=row["district"], judged_on=TODAY, judged_at=NOW,
            cause="reported", facts=json.loads(facts_to_json(asked_facts(asked))), findings=[], light=light,
            is_recommended=True, fitting_products=fits, policy_version="1", policy_hash="0" * 64, content_hash="0" * 64,
        )  # fmt: skip
        self.tx.execute(text("UPDATE demand SET verdict_id = :v WHERE id = :d"), {"v": verdict, "d": key})
        for bank_id in {*consents, *intended}:
            self.consent(uscc, bank_id)
        for rank, bank_id in enumerate(intended, 1):
            add_rows(
                self.tx, "wanted_bank", [{"demand_id": key, "bank_id": bank_id, "is_intended": True, "rank": rank}]
            )
        return key

    def line(self, demand_id: int, product_id: int, **columns: Any) -> int:
        """An open line pushed today, its place taken and its money reserved, as the morning's push leaves it."""
        demand = self.row("demand", demand_id)
        product = self.row("product", product_id)
        consent = self.consent(demand.uscc, product.bank_id)
        run = self.tx.execute(text("SELECT count(*) FROM certificate")).scalar_one()
        certificate = self.add("certificate", on=TODAY, run=run, is_valid=True, body={}, inputs={}, made_at=NOW)
        number = self.tx.execute(
            text('SELECT count(*) FROM push_list WHERE bank_id = :b AND "on" = :d'), {"b": product.bank_id, "d": TODAY}
        ).scalar_one()
        push_list = self.add(
            "push_list", bank_id=product.bank_id, on=TODAY, number=number + 1, cause="morning", lines=1,
            amount_fen=demand.amount_fen, certificate_id=certificate, content_hash="0" * 64, published_at=NOW,
        )  # fmt: skip
        row = {
            "list_id": push_list, "bank_id": product.bank_id, "demand_id": demand_id, "uscc": demand.uscc,
            "district": demand.district, "product_id": product_id, "product_version": 1, "rank": 1,
            "is_intended": False, "amount_fen": demand.amount_fen, "reserved_fen": demand.amount_fen,
            "consent_id": consent, "pushed_on": TODAY, "state": "pushed", "state_at": NOW, "due_step": "contact",
            "due_on": date(2026, 6, 29), "contact_due_on": date(2026, 6, 29), "paused_days": 0,
            "waits_for_calendar": False, "view_closed": False,
        } | columns  # fmt: skip
        key = self.add("push_line", **row)
        self.tx.execute(
            text("UPDATE product SET reserved_fen = reserved_fen + :fen WHERE id = :id"),
            {"fen": row["reserved_fen"], "id": product_id},
        )
        self.tx.execute(
            text(
                'INSERT INTO place_use (product_id, "on", places, used) VALUES (:id, :day, :places, 1)'
                ' ON CONFLICT (product_id, "on") DO UPDATE SET used = place_use.used + 1'
            ),
            {"id": product_id, "day": row["pushed_on"], "places": product.places_per_day},
        )
        self.tx.execute(text("UPDATE demand SET state = 'pushed' WHERE id = :id"), {"id": demand_id})
        return key

    def row(self, table: str, key: int) -> Any:
        return self.tx.execute(text(f"SELECT * FROM {table} WHERE id = :id"), {"id": key}).one()


def officer(bank_id: int, person: int = 50) -> Who:
    """Bai, or whoever sits at this bank's desk."""
    return Who(Role.OFFICER, person, "Bai", bank_id=bank_id)


def owner(uscc: str) -> Who:
    """Fang, or whoever owns this firm."""
    return Who(Role.FIRM, 20, "Fang", uscc=uscc)


def row_of(tx: Session, table: str, key: int) -> Any:
    return tx.execute(text(f"SELECT * FROM {table} WHERE id = :id"), {"id": key}).one()


def rows_of(tx: Session, sql: str, **values: Any) -> list[Any]:
    return list(tx.execute(text(sql), values).all())


def at(day: date, hour: int = 10) -> datetime:
    return instant_on(day, hour)
