"""A year's 20,000 demands rehearsed under other lines: stored verdicts once more, each day's lists by both policies.

    python bench/rehearsal.py [--demands 20000] [--days 365] [--json PATH]

On an embedded database: firms with facts drawn from a seed, judged day by day by the policy in use, shared out among
116 banks with a product each, stored as the platform stores them. Measured: the rehearsal of a policy that asks for
more months in business, replay of every verdict and sharing out by both policies included.
"""

import argparse
import json
import shutil
import tempfile
import time
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table
from sqlmodel import Session

from matching.allocate import allocate, solver_version
from matching.certificate import certify
from matching.facts import FACTS, GUARANTEES
from matching.fit_many import fit_many
from matching.judge import judge
from matching.judge_many import columns_of
from matching.policy import POLICY_FILE, load_policy
from matching.problem import pose
from matching.terms import Fact, Facts, Product, Verdict
from matching.warm import warm_up
from service.actions.rehearse_policy import Wish, ask_rehearsal, reproduces, run_rehearsal
from service.clock import instant_on
from service.domain.people import the_platform
from service.domain.replay import pack
from service.profiles.documents import content_hash, facts_document, findings_document
from service.settings import DEMO_DAY, hand_on, read_settings
from service.settings import settings as known_settings
from service.store import rehearsals
from service.store.bulk import add_rows, next_ids
from service.store.database import Database, use
from service.store.migrate import migrate
from service.store.offers_of_banks import list_matching
from service.store.server import serving

LIVE = load_policy()
BENCH = the_platform("bench")
BANKS = 116
DISTRICTS = ("410102", "410103", "410104", "410105", "410106", "410108", "410122", "410181", "410182", "410183")
INDUSTRIES = ("A01", "C13", "C35", "E48", "F51", "F52", "G54", "H62", "I65", "L72")
LINE = b'2024-10-15: {green: "12", yellow: "6"}'
STRICTER = POLICY_FILE.read_bytes().replace(LINE, b'2024-10-15: {green: "36", yellow: "24"}')
ALL_GOOD: dict[str, Any] = {
    "use": "working_capital", "guarantees": 1 << GUARANTEES.index("credit"), "registration_status": "active",
    "firm_kind": "enterprise", "premises": "rented", "abnormal_listings": 0, "serious_listings": 0,
    "legal_person_listings": 0, "enforcement_open_fen": 0, "serious_penalties": 0, "tax_arrears_months": 0,
    "tax_grade": "B", "insurance_arrears_months": 0, "employees": 8, "overdue_days": 0, "size": "micro",
}  # fmt: skip


def run(demands: int, days: int) -> dict[str, Any]:
    folder = Path(tempfile.mkdtemp(prefix="xdb-", dir="/tmp"))
    try:
        settings = read_settings(home=folder, database_url=None, demo=True, demo_on=DEMO_DAY)
        hand_on(settings)
        known_settings.cache_clear()
        with serving(settings) as address:
            migrate(address.owner_url)
            database = use(Database(address))
            figures = measure(database, settings, demands, days)
            database.dispose()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return figures


def measure(database: Database, settings: Any, demands: int, days: int) -> dict[str, Any]:
    warm_up()
    since = DEMO_DAY - timedelta(days=days - 1)
    begun = time.perf_counter()
    with database.transaction(BENCH) as tx:
        open_banks(tx)
    random = np.random.default_rng(7)
    for place, size in enumerate(np.diff(np.linspace(0, demands, days + 1).astype(int)).tolist()):
        with database.transaction(BENCH) as tx:
            live_a_day(tx, since + timedelta(days=place), size, random)
    found: dict[str, Any] = {"demands": demands, "days": days, "history_seconds": time.perf_counter() - begun}
    begun = time.perf_counter()
    with database.transaction(BENCH) as tx:
        wish = Wish("stricter.yaml", STRICTER, since, DEMO_DAY)
        key = ask_rehearsal(tx, BENCH, wish, LIVE, DEMO_DAY, instant_on(DEMO_DAY))
    state = run_rehearsal(settings, key)
    found["rehearsal_seconds"] = time.perf_counter() - begun
    with database.transaction(BENCH) as tx:
        result = rehearsals.get(tx, key).found
    found |= {
        "state": state,
        "reproduces": reproduces(result),
        "verdicts": result["replay"]["verdicts"],
        "verdicts_same": result["replay"]["same"],
        "runs": result["replay"]["runs"],
        "runs_same": result["replay"]["runs_same"],
        "lights_changed": sum(count for old, new, count in result["lights"] if old != new),
        "lists_shorter": result["lists"]["shrank"],
        "lists_longer": result["lists"]["grew"],
        "grants_then": result["whole"]["old"]["grants"],
        "grants_new_lines": result["whole"]["new"]["grants"],
    }
    return found


def open_banks(tx: Session) -> None:
    """One product for each bank, admission by amount and chance of default."""
    banks, products = next_ids(tx, "bank", BANKS), next_ids(tx, "product", BANKS)
    add_rows(tx, "bank", [
        {"id": key, "code": f"B{key:03d}", "name": f"第{key}银行", "name_en": "", "kind": "city",
         "joined_on": date(2024, 1, 1)} for key in banks
    ])  # fmt: skip
    add_rows(tx, "product", [
        {"id": key, "bank_id": bank, "code": "P", "version": 1, "name": f"产品{key}", "name_en": "",
         "amount_min_fen": 1_000_000, "amount_max_fen": 20_000_000 * (1 + key % 15), "term_min_months": 1,
         "term_max_months": 36, "rate_min": str(Decimal("0.034") + Decimal(key % 20) / 1000), "rate_max": "0.09",
         "loan_types": ["credit"], "criteria": {"max_probability": f"0.{4 + key % 9:02d}"}, "places_per_day": 3,
         "quota_fen": None, "reserved_fen": 0, "granted_fen": 0, "from_on": "2024-01-01",
         "changed_at": instant_on(date(2024, 1, 1))} for key, bank in zip(products, banks, strict=True)
    ])  # fmt: skip


def live_a_day(tx: Session, day: date, size: int, random: np.random.Generator) -> None:
    """Demands reported, judged, shared out, published: one firm each."""
    at = instant_on(day)
    keys, verdict_ids = next_ids(tx, "demand", size), next_ids(tx, "verdict", size)
    drawn = [draw_facts(day, random) for _ in keys]
    verdicts = [judge(facts, LIVE, day) for facts in drawn]
    products = list_matching(tx, day)
    pairs = fit_many(columns_of(drawn), products, day) if drawn else None
    fits = np.diff(pairs.offsets).tolist() if pairs is not None else []
    whose = [{"uscc": f"9141{key:014d}", "district": str(facts["district"].value)}
             for key, facts in zip(keys, drawn, strict=True)]  # fmt: skip
    add_rows(tx, "firm", [
        one | {"name": f"第{key}公司", "kind": "enterprise", "industry": facts["industry"].value,
               "established_on": facts["established_on"].value, "status": "active", "size_class": "micro",
               "wrong_code": False} for key, one, facts in zip(keys, whose, drawn, strict=True)
    ])  # fmt: skip
    rows = list(zip(keys, whose, drawn, verdicts, fits, verdict_ids, strict=True))
    add_rows(tx, "demand", [demand_row(key, one, facts, verdict, day) for key, one, facts, verdict, _, _ in rows])
    add_rows(tx, "verdict", [
        verdict_row(facts, verdict, count, day) | one | {"id": verdict_id, "demand_id": key}
        for key, one, facts, verdict, count, verdict_id in rows
    ])  # fmt: skip
    if pairs is not None:
        share_out(tx, day, at, rows, (pairs.demands(), pairs.products), products, random)


def draw_facts(day: date, random: np.random.Generator) -> Facts:
    """A firm in order but for its age, its chance of default, now and then an obstacle or a missing source."""
    values = ALL_GOOD | {
        "amount_fen": int(np.exp(random.normal(np.log(80_000_000), 0.9))) // 1_000_000 * 1_000_000 + 1_000_000,
        "term_months": int(random.choice((6, 12, 24))),
        "rate_ceiling": Decimal("0.0800"),
        "established_on": day - timedelta(days=int(random.gamma(2, 900)) + 30),
        "district": str(random.choice(DISTRICTS)),
        "industry": str(random.choice(INDUSTRIES)),
        "tax_paid_fen": int(random.integers(1, 500)) * 1_000_000,
        "yearly_sales_fen": 80_000_000 * int(random.integers(4, 60)),
        "last_activity_on": day - timedelta(days=int(random.integers(1, 60))),
        "heard_on": day - timedelta(days=5),
        "probability": Decimal(f"{min(0.5, float(random.gamma(2, 0.02))):.6f}"),
        "abnormal_listings": int(random.random() < 0.04),
        "overdue_days": int(random.random() < 0.03) * 40,
    }
    facts = {name: Fact(value, FACTS[name].source, day - timedelta(days=5)) for name, value in values.items()}
    if random.random() < 0.05:
        facts["tax_arrears_months"] = Fact(None, "tax_payment", None, "missing")
    return facts


def demand_row(key: int, whose: dict[str, Any], facts: Facts, verdict: Verdict, day: date) -> dict[str, Any]:
    state = "recommended" if verdict.recommended else "reported"
    return whose | {
        "id": key, "number": f"D{key:012d}", "amount_fen": facts["amount_fen"].value,
        "term_months": facts["term_months"].value, "use": "working_capital", "use_text": "", "guarantees": [],
        "channel": "web", "wants_renewal_without_repayment": False, "reported_on": day, "reported_at": instant_on(day),
        "version": 1, "state": state, "light": verdict.light.word, "light_since_on": day, "recommended_on": None,
        "next_step": "push", "next_by": "platform", "next_on": day, "waits_for_calendar": False, "firm_seen_on": day,
    }  # fmt: skip


def verdict_row(facts: Facts, verdict: Verdict, fits: int, day: date) -> dict[str, Any]:
    told, findings = facts_document(facts), findings_document(verdict)
    return {
        "judged_on": day, "judged_at": instant_on(day), "cause": "reported", "facts": told, "findings": findings,
        "light": verdict.light.word, "is_recommended": verdict.recommended, "fitting_products": fits,
        "policy_version": verdict.policy_version, "policy_hash": verdict.policy_hash,
        "content_hash": content_hash(told, findings, verdict, fits),
    }  # fmt: skip


def share_out(
    tx: Session, day: date, at: Any, rows: list[Any], fitting: tuple[Any, Any], products: tuple[Product, ...],
    random: np.random.Generator,
) -> None:  # fmt: skip
    """The day's lists: every fitting bank has the firm's consent."""
    going = np.array([row[3].recommended and row[3].light.word != "red" for row in rows], bool)
    demand, product = (np.asarray(column, np.int64) for column in fitting)
    keep = going[demand]
    demand, product = demand[keep], product[keep]
    if not len(demand):
        return
    chance = random.uniform(0.05, 0.7, len(demand))
    ids, product_ids = np.array([row[0] for row in rows]), np.array([one.id for one in products])
    problem = pose(
        {"demand_id": ids[going], "amount_fen": [row[2]["amount_fen"].value for row in rows if row[3].recommended
         and row[3].light.word != "red"], "waited_days": np.zeros(int(going.sum()), np.int64)},
        {"product_id": product_ids, "bank_id": [one.bank_id for one in products],
         "places": [one.places_per_day for one in products], "quota_fen": [-1] * len(products),
         "floor": [0] * len(products)},
        {"demand_id": ids[demand], "product_id": product_ids[product], "value": chance, "p_grant": chance,
         "intended": np.zeros(len(demand), bool)},
        max_banks=3, urgent_days=30,
    )  # fmt: skip
    found = allocate(problem)
    proof = certify(problem, found.lines, found.prices)
    (certificate,) = next_ids(tx, "certificate", 1)
    add_rows(tx, "certificate", [{"id": certificate, "on": day, "run": 0, "is_valid": True,
             "body": json.loads(proof.to_json()), "inputs": pack(problem, found.prices, solver_version()),
             "made_at": at}])  # fmt: skip
    publish(tx, day, at, certificate, {row[0]: row for row in rows}, list(found.lines.rows()))


def publish(tx: Session, day: date, at: Any, certificate: int, row_of: dict[int, Any], lines: list[Any]) -> None:
    banks = sorted({line.bank_id for line in lines})
    lists = dict(zip(banks, next_ids(tx, "push_list", len(banks)), strict=True))
    add_rows(tx, "push_list", [
        {"id": lists[bank], "bank_id": bank, "on": day, "number": 1, "cause": "morning",
         "lines": sum(line.bank_id == bank for line in lines), "amount_fen": 0, "certificate_id": certificate,
         "content_hash": "0" * 64, "published_at": at} for bank in banks
    ])  # fmt: skip
    consents = next_ids(tx, "consent", len(lines))
    add_rows(tx, "consent", [
        {"id": key, "uscc": row_of[line.demand_id][1]["uscc"], "bank_id": line.bank_id, "purpose": "credit_review",
         "data_classes": ["shared"], "text_hash": "0" * 64, "from_on": day, "until_on": day + timedelta(days=365),
         "given_at": at} for key, line in zip(consents, lines, strict=True)
    ])  # fmt: skip
    keys = next_ids(tx, "push_line", len(lines))
    add_rows(tx, "push_line", [
        row_of[line.demand_id][1] | {
            "id": key, "list_id": lists[line.bank_id], "bank_id": line.bank_id, "demand_id": line.demand_id,
            "product_id": line.product_id, "product_version": 1, "rank": line.rank, "is_intended": False,
            "amount_fen": row_of[line.demand_id][2]["amount_fen"].value, "reserved_fen": 0, "consent_id": consent,
            "pushed_on": day, "state": "pushed", "state_at": at, "due_step": "contact", "paused_days": 0,
            "waits_for_calendar": True, "view_closed": False}
        for key, consent, line in zip(keys, consents, lines, strict=True)
    ])  # fmt: skip


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--demands", type=int, default=20_000)
    words.add_argument("--days", type=int, default=365)
    words.add_argument("--json", type=Path)
    asked = words.parse_args()
    figures = run(asked.demands, asked.days)
    table = Table("what", "value", title=f"A policy rehearsed on {asked.days} days, {asked.demands:,} demands")
    for name, value in figures.items():
        table.add_row(name, f"{value:,.1f}" if isinstance(value, float) else str(value))
    Console().print(table)
    if asked.json:
        asked.json.write_text(json.dumps(figures, ensure_ascii=False, indent=1))


if __name__ == "__main__":
    main()
