"""Labels: which loans defaulted, by a dated rule, and which are too young to say."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from risk.records import Records, RecordsError, opened, seen

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pandas as pd


@dataclass(frozen=True)
class Rule:
    """What a default is, for loans drawn from a day on.

    At least `days_overdue` on a month-end within `within_months` of drawdown, that day included. A loan is mature when
    the window and then `report_days`, which the last month-end takes to be reported, have passed.
    """

    from_on: date
    days_overdue: int = 90
    within_months: int = 12
    report_days: int = 15
    basis: str = "商业银行金融资产风险分类办法（2023）：逾期超过90天至少归为次级 / 90 days past due, Basel III CRE36.69"


RULES: tuple[Rule, ...] = (Rule(date(1990, 1, 1)),)
"""The rules in force, by first day; a loan is judged by the latest rule on or before its drawdown."""


@dataclass(frozen=True)
class Labelled:
    """Labels and what was left out.

    `frame`: uscc, as_of (the day before drawdown: features of that day), drawn_on, loan, bank, amount_fen, term_months,
    label (1: default). `counts`: loans, labelled, defaults, immature (window still open), of which already in default,
    and silent (mature, but no month of performance was ever reported).
    """

    frame: pd.DataFrame
    counts: dict[str, int]


def label(records: Records | str | Path | Any, as_of: date, rules: Sequence[Rule] = RULES) -> Labelled:
    """Label every loan drawn by `as_of` with what was known on that day.

    Immature loans are censored: left out whether they have defaulted yet or not, because keeping only their early
    defaults would raise the rate. Raises RecordsError when there are no loan or loan_performance records.
    """
    import pandas as pd

    source = opened(records)
    loans, months = (_known(source, item, as_of) for item in ("loan", "loan_performance"))
    frame = loans.rename(columns={"happened_on": "drawn_on", "key": "loan", "party": "bank"})
    frame = pd.concat([_under(rule, frame, nxt) for rule, nxt in _spans(rules)], ignore_index=True)
    followed = frame[["uscc", "loan", "drawn_on", "ends"]].merge(
        months[["uscc", "party", "happened_on", "quantity"]], left_on=["uscc", "loan"], right_on=["uscc", "party"]
    )
    inside = (followed["happened_on"] >= followed["drawn_on"]) & (followed["happened_on"] <= followed["ends"])
    worst = followed[inside].groupby(["uscc", "loan"])["quantity"].agg(["max", "size"]).reset_index()
    frame = frame.merge(worst, on=["uscc", "loan"], how="left")
    frame["label"] = (frame["max"] >= frame["days_overdue"]).astype("int8")
    mature = frame["mature_on"] <= pd.Timestamp(as_of)
    told = frame["size"].notna()
    kept = frame[mature & told].sort_values(["drawn_on", "uscc", "loan"], ignore_index=True)
    counts = {
        "loans": len(frame), "labelled": len(kept), "defaults": int(kept["label"].sum()),
        "immature": int((~mature).sum()), "immature_defaults": int(frame.loc[~mature, "label"].sum()),
        "silent": int((mature & ~told).sum()),
    }  # fmt: skip
    columns = ["uscc", "as_of", "drawn_on", "loan", "bank", "amount_fen", "term_months", "label"]
    return Labelled(kept[columns], counts)


def _known(source: Records, item: str, as_of: date) -> pd.DataFrame:
    """The records of one item in force on a day."""
    import ibis
    import pandas as pd

    table = source.item(item)
    if table is None:
        raise RecordsError(f"There are no {item} records to make labels from.")
    standing = table.filter(seen(table, ibis.literal(as_of)))
    frame: pd.DataFrame = standing.select(
        "uscc", "key", "happened_on", "ends_on", "amount_fen", "quantity", "party"
    ).execute()
    for column in ("happened_on", "ends_on"):
        frame[column] = pd.to_datetime(frame[column])
    return frame.astype({"uscc": "str", "key": "str", "party": "str"})


def _spans(rules: Sequence[Rule]) -> list[tuple[Rule, date]]:
    """Each rule with the first day it no longer holds."""
    ordered = sorted(rules, key=lambda rule: rule.from_on)
    return list(zip(ordered, [*(rule.from_on for rule in ordered[1:]), date.max], strict=True))


def _under(rule: Rule, loans: pd.DataFrame, until: date) -> pd.DataFrame:
    """The loans one rule judges, with the end of their window and the day they are mature."""
    import numpy as np
    import pandas as pd

    drawn = loans["drawn_on"]
    last = until - timedelta(days=1)
    mine = loans[(drawn >= pd.Timestamp(rule.from_on)) & (drawn <= np.datetime64(last, "s"))].copy()
    mine["ends"] = mine["drawn_on"] + pd.DateOffset(months=rule.within_months)
    mine["mature_on"] = mine["ends"] + pd.Timedelta(days=rule.report_days)
    mine["days_overdue"] = rule.days_overdue
    mine["as_of"] = mine["drawn_on"] - pd.Timedelta(days=1)
    days = (mine["ends_on"] - mine["drawn_on"]).dt.days
    mine["term_months"] = (days / 30.4375).round().astype("Int64")
    return mine
