"""The catalogue is complete, and what it says can be done."""

import re
from pathlib import Path

import pytest
import yaml

from service.domain.errors import NotPossible
from service.intake.catalogue import SHIPPED, load_catalogue
from service.intake.checks import columns_of

CATALOGUE = load_catalogue()
ITEMS = sorted(CATALOGUE.items)


def test_the_catalogue_has_a_version_a_day_and_at_least_eighteen_items() -> None:
    assert len(CATALOGUE.items) >= 18
    assert CATALOGUE.version
    assert CATALOGUE.in_force_on.year == 2026


@pytest.mark.parametrize("item_id", ITEMS)
def test_every_item_says_who_sends_it_how_often_and_who_may_see_it(item_id: str) -> None:
    item = CATALOGUE.item(item_id)
    assert item.department.zh
    assert item.frequency in {"event", "monthly", "yearly"}
    assert item.disclosure in {"public", "shared", "authorised"}
    assert item.freshness_days > 0
    assert item.fresh_by in {"feed", "record"}
    assert all(field.zh and field.en for field in item.fields)


@pytest.mark.parametrize("item_id", ITEMS)
def test_chinese_and_english_headers_name_the_same_fields(item_id: str) -> None:
    item = CATALOGUE.item(item_id)
    english = columns_of(item, [field.name for field in item.fields], is_history=True)
    chinese = columns_of(item, [field.zh for field in item.fields], is_history=True)
    assert english == chinese == list(item.fields)


@pytest.mark.parametrize("item_id", ITEMS)
def test_no_word_of_a_choice_means_two_things(item_id: str) -> None:
    for field in CATALOGUE.item(item_id).fields:
        words = [word for code, said in field.choices.items() for word in (code, *said)]
        assert len(words) == len(set(words)), field.name


def test_only_the_four_adverse_items_leave_sight_when_they_end() -> None:
    adverse = {item.id for item in CATALOGUE.items.values() if item.adverse}
    assert adverse == {"penalty", "court_enforcement", "dishonesty_listing", "abnormal_operation"}


def test_a_catalogue_with_a_key_that_is_no_field_is_refused(tmp_path: Path) -> None:
    raw = yaml.safe_load(SHIPPED.read_text("utf-8"))
    raw["items"][3]["key"] = ["colour"]
    wrong = tmp_path / "catalogue.yaml"
    wrong.write_text(yaml.safe_dump(raw, allow_unicode=True), "utf-8")
    with pytest.raises(ValueError, match=r"tax_grade.*colour"):
        load_catalogue(wrong)


def test_a_file_whose_name_names_no_item_is_refused_with_an_example() -> None:
    with pytest.raises(NotPossible, match=re.escape("tax_payment__2026-03.csv")):
        CATALOGUE.item_of_file("report.csv")
    with pytest.raises(NotPossible, match="weather"):
        CATALOGUE.item_of_file("weather__2026.csv")
