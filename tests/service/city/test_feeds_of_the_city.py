"""The synthetic city: the same seed gives the same files, and what is in them hangs together."""

import hashlib
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from service.city.city import City, draw_city
from service.city.feeds import FeedFile, write_feeds
from service.city.firms import KIND_NAMES
from service.city.loans import NEVER
from service.domain.standards import uscc
from service.intake.catalogue import load_catalogue

START, END = date(2026, 6, 1), date(2026, 6, 30)


@pytest.fixture(scope="module")
def city() -> City:
    return draw_city(600, START, END, seed=3)


def digest(files: list[FeedFile]) -> str:
    total = hashlib.sha256()
    for file in files:
        total.update(file.path.name.encode() + file.path.read_bytes())
    return total.hexdigest()


def test_the_same_seed_writes_the_same_bytes_and_another_seed_does_not(tmp_path: Path) -> None:
    first = digest(write_feeds(draw_city(200, START, END, seed=5), tmp_path / "a"))
    again = digest(write_feeds(draw_city(200, START, END, seed=5), tmp_path / "b"))
    other = digest(write_feeds(draw_city(200, START, END, seed=6), tmp_path / "c"))
    assert first == again
    assert first != other


def test_every_item_of_the_catalogue_is_reported(city: City) -> None:
    assert {rows.item for rows in city.rows} == set(load_catalogue().items)


def test_the_fields_are_the_catalogues_in_its_order(city: City) -> None:
    for rows in city.rows:
        known = [field.name for field in load_catalogue().item(rows.item).fields]
        assert list(rows.fields) == [name for name in known if name in rows.fields], rows.item


def test_codes_are_synthetic_and_only_a_few_have_a_wrong_check_character(city: City) -> None:
    states = [uscc.state_of(code) for code in city.firms.uscc]
    assert all(code[2:8] == uscc.SYNTHETIC_DIVISION for code in city.firms.uscc)
    assert states.count(uscc.CodeState.WRONG_CHECK) == city.character.faults.wrong_codes_least
    assert uscc.CodeState.BAD_FORMAT not in states


def test_all_four_kinds_of_firm_live_in_the_city_and_no_two_share_a_name(city: City) -> None:
    assert set(city.firms.kind) == set(range(len(KIND_NAMES)))
    assert len(set(city.firms.name)) == len(city.firms)


def test_loans_go_bad_where_health_is_poor(city: City) -> None:
    loans = city.loans
    bad = loans.behind < NEVER
    health = city.health[loans.firm, loans.month]
    assert 0 < bad.mean() < 0.5
    assert health[bad].mean() < health[~bad].mean() - 0.3


def test_nothing_is_known_before_it_happened_nor_sent_after_the_demo(city: City, tmp_path: Path) -> None:
    files = write_feeds(city, tmp_path)
    assert max(file.received_on for file in files) <= END
    assert {file.received_on for file in files if file.is_history} == {date(2026, 5, 31)}
    for rows in city.rows:
        happened = next(field.name for field in load_catalogue().item(rows.item).fields if field.role == "happened_on")
        if rows.fields[happened].type == "date32[day]":
            days = np.array(rows.fields[happened].to_pylist(), "datetime64[D]")
            assert (days <= rows.known_on).all(), rows.item


def test_departments_write_in_their_own_ways(city: City, tmp_path: Path) -> None:
    files = write_feeds(city, tmp_path)
    assert {file.path.suffix for file in files} == {".csv", ".xlsx", ".parquet"}
    grades = next(file.path for file in files if file.item == "tax_grade")
    assert grades.read_bytes().decode("gb18030").splitlines()[0].startswith('"统一社会信用代码"')
