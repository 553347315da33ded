"""The Parquet mirror says what PostgreSQL says, after everything that may happen."""

import shutil
from datetime import date
from pathlib import Path

import duckdb
import pytest

from service.actions.take_feed import Delivery, take_feed
from service.domain.people import the_platform
from service.intake import mirror as mirrors
from service.store import records
from service.store.database import Database, transaction
from tests.service.intake.feed_files import DAY, FANG, FENG, TAX, Take, tax, write

SYSTEM = the_platform("test")
PENALTY = ["uscc", "decision_no", "class", "fine", "decided_on", "status", "reason"]


def take_alone(path: Path, mirror: Path, on: date = DAY, *, is_history: bool = False) -> None:
    with transaction(SYSTEM) as tx:
        taken = take_feed(tx, SYSTEM, path, delivery=Delivery(on, is_history=is_history), mirror=mirror)
        assert taken.failure is None


def differences(mirror: Path) -> list[mirrors.Difference]:
    with transaction(SYSTEM) as tx:
        return mirrors.verify_mirror(tx, mirror)


def rows(mirror: Path, item: str = "tax_payment") -> list[tuple[object, ...]]:
    query = "SELECT uscc, key, amount_fen, known_on, superseded_on FROM read_parquet(?) ORDER BY known_on, uscc, key"
    return duckdb.execute(query, [str(mirror / f"item={item}" / "month=*" / "*.parquet")]).fetchall()


def test_a_part_appears_only_with_the_commit(database: Database, folder: Path, mirror: Path) -> None:
    path = write(folder / "tax_payment__a.csv", TAX, [tax(), tax(FENG)])
    with transaction(SYSTEM) as tx:
        take_feed(tx, SYSTEM, path, delivery=Delivery(DAY), mirror=mirror)
        assert not list(mirror.glob("item=*"))
    assert [part.parent.name for part in mirror.glob("item=tax_payment/*/*.parquet")] == ["month=2026-06"]
    assert len(rows(mirror)) == 2
    assert differences(mirror) == []


def test_corrections_duplicates_and_bad_rows_leave_mirror_and_database_equal(
    database: Database, folder: Path, mirror: Path
) -> None:
    first = [tax(amount="1"), tax(FENG), tax(tax="cit"), tax(amount="bad")]
    take_alone(write(folder / "tax_payment__a.csv", TAX, first), mirror, date(2026, 4, 20))
    second = [tax(amount="2"), tax(FENG), tax(tax="other"), tax(tax="other", amount="9"), tax(FENG, period="2026-04")]
    take_alone(write(folder / "tax_payment__b.csv", TAX, second), mirror, date(2026, 6, 1))
    assert differences(mirror) == []
    assert [row[4] for row in rows(mirror) if row[1] == "2026-03|vat" and row[0] == FANG] == [date(2026, 6, 1), None]


def test_history_goes_to_the_months_in_which_it_was_known(database: Database, folder: Path, mirror: Path) -> None:
    history = [[*tax(period=f"2025-{month:02d}"), f"2025-{month + 1:02d}-15"] for month in range(1, 12)]
    path = write(folder / "tax_payment__a.csv", [*TAX, "known_on"], history)
    take_alone(path, mirror, is_history=True)
    assert len(list(mirror.glob("item=tax_payment/month=2025-*/*.parquet"))) == 11
    assert differences(mirror) == []


def test_details_stand_in_the_mirror_letter_for_letter(database: Database, folder: Path, mirror: Path) -> None:
    nasty = '"引号" \\ 反斜杠\n换行\t, 逗号 é 𠮷'
    row = [FANG, "P1", "minor", "", "2026-06-01", "open", nasty]
    take_alone(write(folder / "penalty__a.csv", PENALTY, [row, [FENG, *row[1:-1], ""]]), mirror)
    header = ["uscc", "name", "kind", "district", "industry", "established_on", "status", "address"]
    registration = [FANG, nasty, "企业", "金水区", "F52", "2020-01-01", "存续", ""]
    take_alone(write(folder / "registration__a.csv", header, [registration]), mirror)
    assert differences(mirror) == []


def test_a_repair_reaches_the_mirror(database: Database, folder: Path, mirror: Path) -> None:
    row = [FANG, "P1", "minor", "5", "2026-06-01", "open", ""]
    take_alone(write(folder / "penalty__a.csv", PENALTY, [row]), mirror)
    with transaction(SYSTEM) as tx:
        (record,) = records.list_as_of(tx, FANG, DAY, ["penalty"])
        records.withdraw(tx, record.id, date(2026, 6, 20))
        mirrors.rewrite_months(tx, mirror, "penalty", ["2026-06"])
    assert differences(mirror) == []


def test_a_process_that_died_before_the_commit_leaves_no_trace_in_the_mirror(
    database: Database, folder: Path, mirror: Path
) -> None:
    path = write(folder / "tax_payment__a.csv", TAX, [tax()])
    with pytest.raises(KeyboardInterrupt), transaction(SYSTEM) as tx:
        take_feed(tx, SYSTEM, path, delivery=Delivery(DAY), mirror=mirror)
        raise KeyboardInterrupt
    assert list(mirror.glob(".pending/tax_payment/*"))
    take_alone(write(folder / "tax_payment__b.csv", TAX, [tax(FENG)]), mirror)
    assert [row[0] for row in rows(mirror)] == [FENG]
    assert not list(mirror.glob(".pending/tax_payment/*"))
    assert differences(mirror) == []


@pytest.mark.parametrize("moved", ["nothing", "the first part"])
def test_a_process_that_died_after_the_commit_is_made_good_by_the_next_feed(
    database: Database, folder: Path, mirror: Path, monkeypatch: pytest.MonkeyPatch, moved: str
) -> None:
    take_alone(write(folder / "tax_payment__a.csv", TAX, [tax(amount="1")]), mirror, date(2026, 5, 20))

    def die(root: Path, item: str, pending: Path) -> None:
        if moved == "the first part":
            part = next(iter(sorted(pending.glob("*.parquet"))))
            place = root / f"item={item}" / f"month={part.stem}"
            place.mkdir(parents=True, exist_ok=True)
            part.rename(place / f"part-{pending.name.split('=')[1]}.parquet")

    with monkeypatch.context() as patch:
        patch.setattr(mirrors, "_move_into_place", die)
        take_alone(write(folder / "tax_payment__b.csv", TAX, [tax(amount="2"), tax(FENG)]), mirror, date(2026, 6, 1))
    assert differences(mirror)
    take_alone(write(folder / "tax_payment__c.csv", TAX, [tax(tax="cit")]), mirror)
    assert differences(mirror) == []


def test_the_mirror_can_be_rebuilt_from_postgresql(database: Database, folder: Path, mirror: Path) -> None:
    take_alone(write(folder / "tax_payment__a.csv", TAX, [tax(), tax(FENG)]), mirror)
    shutil.rmtree(mirror)
    assert differences(mirror)[0].mirror is None
    with transaction(SYSTEM) as tx:
        assert mirrors.rebuild_mirror(tx, mirror) == ["tax_payment"]
    assert differences(mirror) == []


def test_a_mirror_that_was_tampered_with_is_found_out(database: Database, folder: Path, mirror: Path) -> None:
    take_alone(write(folder / "tax_payment__a.csv", TAX, [tax(amount="1"), tax(FENG)]), mirror)
    (part,) = mirror.glob("item=tax_payment/*/*.parquet")
    changed = part.with_name("changed")
    duckdb.execute(
        f"COPY (SELECT * REPLACE (amount_fen + (uscc = '{FANG}')::INT AS amount_fen) FROM '{part}') TO '{changed}'"
        " (FORMAT parquet)"
    )
    changed.rename(part)
    (difference,) = differences(mirror)
    assert (difference.item, difference.month) == ("tax_payment", "2026-06")
    assert difference.database is not None
    assert difference.mirror is not None
    assert difference.database[0] == difference.mirror[0] == 2


def test_a_take_without_a_mirror_writes_none(take: Take, mirror: Path) -> None:
    assert take("tax_payment", [tax()]).feed.valid == 1
    assert not list(mirror.glob("item=*"))  # not committed yet
