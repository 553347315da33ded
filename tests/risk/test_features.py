"""Features: equal to plain Python, blind to the future, silent about nobody's silence."""

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from risk.build import Recipe
from risk.facts import FACTS
from risk.features import FEATURES, INVOICE_FEATURES, build, with_demand
from risk.measures import VIEWS
from risk.records import COLUMNS, Records, RecordsError
from tests.risk import by_hand
from tests.risk.worlds import FANG, FENG, TODAY, arrow, cohort, month_end, random_world, row, table

FIRMS = [FANG, FENG, "91410199MA0000003H", "91410199MA0000004J"]
ITEMS = sorted({view.item for view in VIEWS.values()})
ASKED = {"amount_fen": 123_456_700, "term_months": 18}
NAMES = [one.name for one in FEATURES]


@pytest.fixture(scope="module", params=[Records.of, Records.of_few], ids=["item by item", "all at hand"])
def recipe_over(request):
    """A recipe whose records can be changed: (rows) → frame of the four firms, features, facts and sources."""
    held = table([])
    engine = held.get_backend()
    recipe = Recipe(request.param(held), [*FEATURES, *INVOICE_FEATURES], FACTS)

    def ask(rows, as_of=TODAY):
        engine.raw_sql("DELETE FROM record")
        engine.insert("record", arrow(rows))
        return recipe.build(cohort(*FIRMS, as_of=as_of, **ASKED))

    return ask


@pytest.mark.parametrize("seed", range(4))
def test_features_equal_a_slow_plain_computation(recipe_over, seed):
    rows = random_world(seed, FIRMS)
    frame = recipe_over(rows)
    for place, firm in enumerate(FIRMS):
        slow = by_hand.features(rows, firm, TODAY, **ASKED)
        fast = frame.iloc[place]
        wrong = {
            name: (fast[name], value) for name, value in slow.items()
            if not np.isclose(fast[name], np.nan if value is None else value, rtol=1e-9, atol=1e-6, equal_nan=True)
        }  # fmt: skip
        assert not wrong, f"firm {place}"


def test_the_random_worlds_say_something_about_every_feature(recipe_over):
    known = np.any([recipe_over(random_world(seed, FIRMS))[NAMES].notna().any() for seed in range(4)], axis=0)
    assert known.all(), np.array(NAMES)[~known]


def test_every_feature_is_computed_by_hand_too():
    assert sorted(by_hand.COUNTS) == sorted(NAMES)


WORLD = random_world(11, FIRMS)
KNOWN_DAYS = {
    item: [one["known_on"] for one in WORLD if one["item"] == item and one["known_on"] <= TODAY] for item in ITEMS
}


@pytest.fixture(scope="module")
def before(recipe_over):
    return recipe_over(WORLD)


@settings(
    max_examples=10,
    deadline=None,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_nothing_from_the_future_ever_changes_a_feature_or_a_fact(recipe_over, before, data):
    later = st.integers(1, 400).map(lambda days: TODAY + timedelta(days=days))
    planted = [
        row(item, data.draw(st.sampled_from(["2026", "2027-01|vat", "9999", "L0|2027-01"])),
            data.draw(later) if dated_later else TODAY - timedelta(days=data.draw(st.integers(0, 900))),
            uscc=data.draw(st.sampled_from(FIRMS)), amount_fen=10**9, quantity=99.0, party="L0",
            code=data.draw(st.sampled_from(["vat", "serious", "out", "electricity", "D", "enforcement"])),
            status=data.draw(st.sampled_from(["arrears", "open", "valid", "overdue", "breached"])))
        for item in ITEMS for dated_later in (True, False)
    ]  # fmt: skip
    for one in planted:
        if one["happened_on"] <= TODAY:
            one["known_on"] = data.draw(later)
        elif data.draw(st.booleans()):  # known today, about a day to come
            one["known_on"] = data.draw(st.sampled_from(KNOWN_DAYS[one["item"]]))
    corrected = [dict(one) for one in WORLD]
    for one in corrected:
        for column in ("superseded_on", "withdrawn_on"):
            if one.get(column) is None and data.draw(st.integers(0, 9)) == 0:
                one[column] = TODAY + timedelta(days=3)
    pd.testing.assert_frame_equal(recipe_over([*corrected, *planted]), before)


def test_a_superseded_a_withdrawn_and_an_expired_adverse_record_leave_on_their_day(recipe_over):
    on, gone = TODAY - timedelta(days=100), TODAY - timedelta(days=10)
    for column in ("superseded_on", "withdrawn_on", "ends_on"):
        penalty = row("penalty", "p", on, code="serious", status="open", amount_fen=100_00, **{column: gone})
        assert recipe_over([penalty], gone - timedelta(days=1))["fines"][0] == 100
        assert recipe_over([penalty], gone)["fines"][0] == 0


def test_an_ended_permit_is_no_adverse_record_and_only_stops_counting_as_valid(recipe_over):
    permit = row("permit", "x", TODAY - timedelta(days=90), status="valid", ends_on=TODAY)
    frame = recipe_over([permit])
    assert frame["permits_valid"][0] == 0
    assert frame["known_on.permit"][0] == pd.Timestamp(permit["known_on"])


def test_no_record_means_none_only_where_the_feed_lives(recipe_over):
    listing = row("dishonesty_listing", "x", TODAY - timedelta(days=30), uscc=FENG)
    frame = recipe_over([listing])
    assert frame["dishonesty_listings"].tolist()[:2] == [0, 1]
    assert frame["fact.serious_listings"].tolist()[:2] == [0, 1]
    assert np.isnan(frame["court_cases"]).all()
    assert frame["fact.enforcement_open_fen"].isna().all()


def test_an_empty_feed_that_is_told_of_makes_no_record_mean_none():
    frame = build(table([]), cohort(FANG), facts=FACTS, feeds={"penalty": [date(2026, 1, 5), date(2026, 6, 1)]})
    assert frame["fines"][0] == 0
    assert frame["known_on.penalty"][0] == pd.Timestamp(2026, 6, 1)
    assert np.isnan(frame["court_cases"][0])


def test_silence_of_a_monthly_source_is_unknown_and_never_zero(recipe_over):
    long_ago = row(
        "tax_payment", "2023-01|vat", date(2023, 1, 31), code="vat", status="on_time", amount_fen=5, quantity=0.0
    )
    frame = recipe_over([long_ago])
    assert frame[["tax_late", "tax_paid_12m", "tax_arrears_months"]].iloc[0].isna().all()
    assert frame["known_on.tax_payment"][0] == pd.Timestamp(2023, 1, 31)


def test_an_unrated_firm_is_unrated_and_never_graded_d(recipe_over):
    frame = recipe_over([row("tax_grade", "2025", date(2026, 4, 20), uscc=FENG, code="D")])
    assert frame["tax_grade"].isna().tolist()[:2] == [True, False]
    assert frame["fact.tax_grade"].tolist()[:2] == ["unrated", "D"]


def test_a_cured_arrear_is_no_longer_open(recipe_over):
    months = [row("loan_performance", f"L|{ago}", month_end(TODAY, ago), party="L", quantity=days, amount_fen=1)
              for ago, days in ((3, 40.0), (2, 70.0), (1, 0.0))]  # fmt: skip
    frame = recipe_over([row("loan", "L", date(2025, 9, 1), status="normal", amount_fen=1, party="B"), *months])
    assert (frame["loans_late_now"][0], frame["days_overdue"][0], frame["fact.overdue_days"][0]) == (0, 70, 0)


def test_two_annual_reports_filed_on_one_day_keep_their_order(recipe_over):
    day = date(2026, 3, 1)
    frame = recipe_over([row("annual_report", "2024", day, amount_fen=200_00, quantity=2.0),
                         row("annual_report", "2025", day, amount_fen=300_00, quantity=3.0)])  # fmt: skip
    assert (frame["revenue"][0], frame["revenue_change"][0], frame["employees"][0]) == (300, 0.5, 3)


def test_money_facts_are_whole_fen_even_beyond_what_floats_hold(recipe_over):
    fen = 2**53 + 1
    frame = recipe_over([row("court_enforcement", "c", TODAY, status="open", code="enforcement", amount_fen=fen)])
    assert frame["fact.enforcement_open_fen"][0] == fen
    assert type(frame["fact.enforcement_open_fen"][0]) is int


def test_one_firm_on_two_days_and_twice_on_one_day_keeps_the_order_of_the_cohort():
    listing = row("abnormal_operation", "x", date(2026, 5, 1))
    asked = pd.DataFrame({"uscc": [FANG, FENG, FANG, FANG],
                          "as_of": [TODAY, TODAY, date(2026, 4, 30), TODAY]})  # fmt: skip
    frame = build(table([listing, row("abnormal_operation", "y", date(2026, 1, 1), uscc="other")]), asked)
    assert frame["uscc"].tolist() == asked["uscc"].tolist()
    assert frame["abnormal_listings"].tolist() == [1, 0, 0, 1]


def test_a_mirror_folder_gives_what_the_table_gives_and_sees_files_that_come_later(recipe_over, tmp_path):
    rows = random_world(5, FIRMS)
    items = sorted({one["item"] for one in rows})
    for item in items:
        target = tmp_path / f"item={item}" / "month=2026-01"
        target.mkdir(parents=True)
        pq.write_table(arrow(one for one in rows if one["item"] == item), target / "part.parquet")
    asked = cohort(*FIRMS, **ASKED)
    recipe = Recipe(tmp_path)
    columns = recipe.build(asked).columns
    pd.testing.assert_frame_equal(recipe.build(asked), recipe_over(rows)[columns])
    (tmp_path / "item=honour" / "month=2026-06").mkdir()
    more = [row("honour", "new", TODAY)]
    pq.write_table(arrow(more), tmp_path / "item=honour" / "month=2026-06" / "part.parquet")
    pd.testing.assert_frame_equal(recipe.build(asked), recipe_over([*rows, *more])[columns])


def test_an_item_that_first_comes_later_is_seen_by_a_recipe_made_before(tmp_path):
    recipe = Recipe(tmp_path)
    assert np.isnan(recipe.build(cohort(FANG))["fines"][0])
    target = tmp_path / "item=penalty" / "month=2026-06"
    target.mkdir(parents=True)
    pq.write_table(
        arrow([row("penalty", "p", TODAY, code="minor", status="open", amount_fen=5_00)]), target / "a.parquet"
    )
    assert recipe.build(cohort(FANG))["fines"][0] == 5


def test_the_demands_own_features_can_be_put_on_stored_ones(recipe_over):
    whole = recipe_over(random_world(2, FIRMS))
    stored = whole.drop(columns=["amount_fen", "term_months", "amount_to_revenue", "term_asked"])
    pd.testing.assert_frame_equal(with_demand(stored, **ASKED)[NAMES], whole[NAMES])


def test_a_missing_column_and_a_missing_mirror_are_named(tmp_path):
    with pytest.raises(RecordsError, match="as_of"):
        build(table([]), pd.DataFrame({"uscc": [FANG]}))
    with pytest.raises(RecordsError, match="known_on"):
        Recipe(table([]).drop("known_on"))
    with pytest.raises(RecordsError, match="no mirror"):
        build(tmp_path / "nowhere", cohort(FANG))


def test_the_list_is_well_formed_and_every_word_is_there_in_both_languages():
    for features in (FEATURES, INVOICE_FEATURES):
        names = [one.name for one in features]
        assert len(set(names)) == len(names)
        for one in features:
            assert one.direction in (-1, 0, 1)
            assert one.item in (*ITEMS, "demand")
            for words in (one.words, one.adverse, one.favourable, one.meaning):
                assert words.zh and words.en and words.zh != words.en
                assert ("{value}" in words.zh) == ("{value}" in words.en), one.name
    assert 38 <= len(FEATURES) <= 60
    assert set(COLUMNS) >= {"known_on", "superseded_on", "withdrawn_on"}


def test_no_banks_rating_is_a_feature_of_the_invoice_world():
    assert {one.item for one in INVOICE_FEATURES} == {"invoice"}
    assert not [one.name for one in INVOICE_FEATURES if "rating" in one.name or "grade" in one.name]


def test_the_invoice_features_count_what_they_say(recipe_over):
    def invoice(number, direction, on, yuan, party="P", status="valid"):
        return row(
            "invoice", f"{direction}|{number}", on, code=direction, amount_fen=yuan * 100, party=party, status=status
        )

    rows = [
        invoice(1, "out", date(2026, 5, 10), 600, "P"), invoice(2, "out", date(2026, 4, 10), 300, "P"),
        invoice(3, "out", date(2026, 4, 12), -100, "P"), invoice(4, "out", date(2025, 5, 1), 200, "Q"),
        invoice(5, "out", date(2026, 5, 11), 999, "R", "void"), invoice(1, "in", date(2026, 6, 1), 250, "S"),
    ]  # fmt: skip
    found = recipe_over(rows).iloc[0]
    told = {
        "sales_total": 1000, "sales_month_median": 200, "sales_months": 3, "sales_count": 4, "sales_change": 3.0,
        "sales_pace": 800 / (800 * 92 / 365), "days_since_sale": 36, "days_since_purchase": 14, "purchase_months": 1,
        "purchase_month_median": 250, "sales_void_share": 0.2, "sales_red_share": 0.25, "purchase_void_share": 0,
        "customers": 2, "returning_share": 0.5, "top_customer_share": 0.8, "customer_concentration": 0.68,
        "suppliers": 1, "top_supplier_share": 1, "margin": 0.75, "input_output": 0.25,
        "sales_volatility": np.std([600, 200, 200], ddof=1) / (1000 / 3),
    }  # fmt: skip
    assert {name: pytest.approx(value, abs=1e-6) for name, value in told.items()} == {
        name: found[name] for name in told
    }
    assert set(told) == {one.name for one in INVOICE_FEATURES}
    assert found["fact.last_sale_on"] == date(2026, 5, 10)
    assert (found["fact.void_share"], found["fact.negative_share"]) == (0.2, pytest.approx(100 / 1200, abs=1e-6))
