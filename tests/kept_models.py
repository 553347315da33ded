"""Models as they lie in the folder, without training: one scorecard each, told apart by its level; and operators."""

from datetime import date
from pathlib import Path

from sqlmodel import Session

from risk import artifact
from risk.calibration import Calibration
from risk.features import FEATURES
from risk.model import RiskModel, as_files
from risk.scale import log_odds
from risk.scorecard import Curve, Scorecard
from risk.terms import Input
from service.actions.add_account import NewAccount, add_account
from service.actions.train_model import keep
from service.domain.people import Role, Who
from service.settings import Settings
from service.store.bulk import add_rows, next_ids
from tests.builders import JINSHUI, NOW, PLATFORM, TODAY
from tests.lending import Lending

TOLD = ("months_in_business", "tax_late", "revenue", "insured_persons")
LEARNT_UNTIL = date(2026, 5, 31)
MEASURES = {"auc": 0.744, "ks": 0.4, "average_precision": 0.3, "brier": 0.041, "brier_skill": 0.1, "log_loss": 0.2,
            "predicted": 0.05, "observed": 0.052, "ece": 0.011, "slope": 1.02}  # fmt: skip


def a_kept_model(
    settings: Settings, folder: Path, probability: float = 0.02, *, per_delay: float = 0.0,
    as_of: date | None = LEARNT_UNTIL, names: tuple[str, ...] = TOLD, more: dict[str, str] | None = None,
) -> RiskModel:  # fmt: skip
    """A scorecard of four inputs, kept: everyone at `probability`, `per_delay` log-odds more for each late payment."""
    known = {one.name: one for one in FEATURES}
    inputs = [Input.of(known[name]) if name in known else _unheard_of(name) for name in names]
    curves = tuple(Curve((0.0, 10.0), (0.0, 10 * per_delay), 0.0) if one.name == "tax_late" else Curve((), (), 0.0)
                   for one in inputs)  # fmt: skip
    odds = float(log_odds(probability))
    reference = {one.name: {"edges": [0.5], "shares": [0.5, 0.5, 0.0], "mean": 0.4} for one in inputs}
    card = {
        "n": 4000, "events": 210, "seed": 7, "protocol": "out_of_time", "measures": MEASURES, "calibration": "platt",
        "intervals": {"auc": [0.71, 0.78]}, "chosen": {"kind": "scorecard"}, "tried": [], "segments": {},
        "about": {"as_of": as_of.isoformat()} if as_of else {}, "calibration_table": [], "slices": {},
        "drivers": [{"group": "tax_discipline", "mean_abs_log_odds": 0.3}],
        "scale": {"base_score": 600, "base_odds": 30, "points_to_double": 40,
                  "grades": [{"grade": "A1", "below": 0.005}]},
    }  # fmt: skip
    files = {
        "calibration.json": artifact.written(Calibration("platt", 0.05, (1.0, 0.0)).to_json()),
        "features.json": artifact.written({"inputs": [_plain(one) for one in inputs], "reference": reference}),
        "card.json": artifact.written(card), "card.md": "# Model card\n", **(more or {}),
        **as_files(Scorecard(tuple(one.name for one in inputs), odds, curves)),
    }  # fmt: skip
    settings.models.mkdir(parents=True, exist_ok=True)
    return keep(settings, artifact.save(files, folder / f"{probability}-{per_delay}-{as_of}"))


def _plain(one: Input) -> dict[str, object]:
    return {name: getattr(one, name) for name in Input.__dataclass_fields__}


def _unheard_of(name: str) -> Input:
    plain = _plain(Input.of(next(iter(FEATURES))))
    return Input(**plain | {"name": name})  # type: ignore[arg-type]


def an_operator(tx: Session, login: str, name: str) -> Who:
    """Someone who looks after the platform, with an account."""
    person = add_account(tx, PLATFORM, NewAccount(login, name, "operator", "a long enough word 2026"), NOW)
    return Who(Role.OPERATOR, person.id, name)


def an_estimate(
    tx: Session, demand_id: int, uscc: str, version: str, features: dict[str, float | None], as_of: date = TODAY,
    probability: float = 0.02, grade: str = "B2",
) -> int:  # fmt: skip
    """An estimate with the verdict that rests on it; the estimate's key."""
    (key,) = next_ids(tx, "estimate", 1)
    row = {"id": key, "uscc": uscc, "as_of": as_of, "model_version": version, "probability": probability, "score": 600}
    add_rows(tx, "estimate", [row | {"grade": grade, "features": features, "vintage": {}, "made_at": NOW}])
    verdict = {
        "demand_id": demand_id, "uscc": uscc, "district": JINSHUI, "judged_on": as_of, "judged_at": NOW,
        "cause": "cycle", "facts": {}, "findings": [], "light": "green", "is_recommended": True, "fitting_products": 1,
        "policy_version": "1", "policy_hash": "0" * 64, "content_hash": "0" * 64, "estimate_id": key,
    }  # fmt: skip
    add_rows(tx, "verdict", [{"id": next_ids(tx, "verdict", 1)[0], **verdict}])
    return key


def a_repaid_or_lost_loan(
    city: Lending, product_id: int, demand_id: int, uscc: str, drawn_on: date, worst: int
) -> None:
    """A loan drawn under a grant, as the bank reported it, and a year of monthly performance with its worst delay."""
    bank_id, number = city.row("product", product_id).bank_id, f"HT{demand_id:06d}"
    line = city.line(demand_id, product_id)
    whose = {"demand_id": demand_id, "bank_id": bank_id, "uscc": uscc, "district": JINSHUI}
    entered = {"recorded_on": drawn_on, "recorded_at": NOW, "amount_fen": 10_000_000, "rate": "0.0435"}
    grant = city.add("credit_grant", line_id=line, product_id=product_id, term_months=12, loan_type="credit",
                     is_first_loan=True, is_renewal=False, is_renewal_without_repayment=False, granted_on=drawn_on,
                     **whose, **entered)  # fmt: skip
    due = drawn_on.replace(year=drawn_on.year + 1)
    city.add("drawdown", grant_id=grant, loan_number=number, drawn_on=drawn_on, matures_on=due, **whose, **entered)
    facts = {"uscc": uscc, "feed_id": 1, "line": 2, "amount_fen": 10_000_000, "known_on": drawn_on}
    loan = {"item": "loan", "key": number, "happened_on": drawn_on, "ends_on": due, "quantity": 0.0435, "party": "B001"}
    city.add("record", **facts, **loan, code="credit", status="normal", details=None)
    month = drawn_on.replace(day=28)
    paid = {"item": "loan_performance", "key": f"{number}|{month:%Y-%m}", "happened_on": month, "party": number}
    city.add("record", **facts | {"known_on": month}, **paid, ends_on=None, quantity=worst, code=None, status=None,
             details=None)  # fmt: skip
