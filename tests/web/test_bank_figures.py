"""A bank reads its own figures beside the middle of all banks, and nothing of any other bank's."""

from datetime import timedelta

import pytest

from service.clock import Clock
from service.store.bulk import add_rows
from service.store.pace import medians, sum_months
from tests.browser import Browser, an_app
from tests.builders import FANG_HERSELF, PLATFORM, TODAY, ZHONGYUAN, a_bank, bai, bo, rows_of

SINCE = TODAY - timedelta(days=30)
OF_BANK = {  # in time of ten due, granted of twenty, days of ten contacted, days of five decided, rate
    "BAI": (9, 8, 20, 30, "0.0300"),
    "BO": (6, 4, 30, 60, "0.0400"),
    "CUI": (3, 2, 70, 75, "0.0550"),
}


@pytest.fixture
def banks(database) -> dict[str, int]:
    """Three banks, each with a day's lines and a day's money paid."""
    with database.transaction(PLATFORM) as tx:
        return {code: a_bank(tx, code) for code in OF_BANK}


def counted(database, banks, *codes: str) -> None:
    """The roll-ups as they stand for these banks."""
    with database.transaction(PLATFORM) as tx:
        for code in codes:
            in_time, granted, contact_days, decision_days, rate = OF_BANK[code]
            whose = {"district": ZHONGYUAN, "bank_id": banks[code]}
            counts = {"lines": 20, "contact_due": 10, "in_time": in_time, "contacted": 10, "contact_days": contact_days}
            counts |= {"decided": 5, "decision_days": decision_days, "silent": 1, "refused": 2, "granted": granted}
            add_rows(tx, "pace_day", [{"pushed_on": TODAY, **whose, **counts, "disputed": 0, "made_on": TODAY}])
            paid = {"sign": 1, "noun_id": banks[code], "demand_id": 1, "uscc": f"9141010{banks[code]}", "rate": rate}
            paid |= {"amount_fen": 100, "loan_type": "credit", "is_first_loan": False, "industry": "F", "size": "micro"}
            flags = {
                "is_renewal_without_repayment": False,
                "is_new_household": False,
                "is_new_household_of_bank": False,
                "is_new_household_of_product": False,
                "product_id": 0,
            }
            event = {"kind": "drawn", "on": TODAY, "recorded_on": TODAY, "made_at": f"{TODAY}T02:00:00Z"}
            add_rows(tx, "figure_event", [{**event, **whose, **paid, **flags}])
        sum_months(tx, TODAY)


def test_each_figure_stands_beside_the_middle_of_the_banks(database, settings, banks) -> None:
    counted(database, banks, "BAI", "BO", "CUI")
    app = an_app(settings, database, Clock(demo_on=TODAY))
    page = Browser(app, database, bai(banks["BAI"])).opens("/bank/figures")
    for row in (
        "按时联系 90.0% 60.0% 3",
        "授信比例 40.0% 20.0% 3",
        "平均年利率 3.00% 4.00% 3",
        "首次联系 2.0 天 3.0 天 3",
        "作出决定 6.0 天 12.0 天 3",
    ):
        assert row in page.words, row


def test_of_two_banks_no_middle_is_told(database, settings, banks) -> None:
    counted(database, banks, "BAI", "BO")
    app = an_app(settings, database, Clock(demo_on=TODAY))
    page = Browser(app, database, bai(banks["BAI"])).opens("/bank/figures")
    assert page.words.count("不足 3 家，不显示") == 5
    assert "60.0%" not in page.words
    with database.transaction(bai(banks["BAI"])) as tx:
        assert {one.middle for one in medians(tx, SINCE, TODAY).values()} == {None}


def test_a_bank_reads_no_row_of_another(database, banks) -> None:
    counted(database, banks, "BAI", "BO", "CUI")
    for who, seen in ((bai(banks["BAI"]), {banks["BAI"]}), (bo(banks["BO"]), {banks["BO"]}), (FANG_HERSELF, set())):
        with database.transaction(who) as tx:
            for table in ("pace_day", "figure_day", "figure_event"):
                assert {row["bank_id"] for row in rows_of(tx, table)} == seen, (who.role, table)
    with database.transaction(bai(banks["BAI"])) as tx:
        assert set(medians(tx, SINCE, TODAY)) == {"in_time", "granted", "rate", "days_to_contact", "days_to_decision"}
