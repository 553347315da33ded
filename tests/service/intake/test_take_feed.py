"""A department's file comes in: what is kept, what is known already, what takes the place of what."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlsxwriter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlmodel import Session, col, select

from service.actions.take_feed import Delivery, take_feed
from service.domain.errors import NotAllowed
from service.domain.firm import Firm
from service.domain.people import Role, Who, the_platform
from service.domain.record import Feed, Record
from service.intake.catalogue import load_catalogue
from service.store import feeds, firms, objections, records
from service.store.database import Database, transaction
from service.store.server import ServerAddress
from tests.service.intake.feed_files import DAY, FANG, FENG, OU, TAX, Take, tax, write

NOON = datetime(2026, 6, 5, 4, tzinfo=UTC)

REGISTRATION = ["uscc", "name", "kind", "district", "industry", "established_on", "status", "premises"]
SYSTEM = the_platform("test")
pytestmark = pytest.mark.database


def held(tx: Session, item: str = "tax_payment") -> Sequence[Record]:
    tx.expire_all()
    return tx.exec(select(Record).where(Record.item == item).order_by(col(Record.id))).all()


def in_sight(tx: Session, firm: str, day: date) -> list[tuple[str, int | None]]:
    adverse = [item.id for item in load_catalogue().items.values() if item.adverse]
    return sorted((record.key, record.amount_fen) for record in records.list_as_of(tx, firm, day, adverse))


def test_a_good_file_becomes_records_in_the_canonical_shape(take: Take, tx: Session) -> None:
    feed = take("tax_payment", [tax(amount="1234.50", days_late=3, status="逾期已缴", tax="增值税")]).feed
    (record,) = held(tx)
    assert (feed.received, feed.valid, feed.duplicates, feed.quarantined) == (1, 1, 0, 0)
    assert (record.uscc, record.key, record.happened_on, record.known_on) == (
        FANG,
        "2026-03|vat",
        date(2026, 3, 31),
        DAY,
    )
    assert (record.amount_fen, record.quantity, record.code, record.status) == (123450, 3.0, "vat", "late")
    assert (record.feed_id, record.line) == (feed.id, 2)


def test_an_items_loose_fields_are_kept_as_details_with_money_in_fen(take: Take, tx: Session) -> None:
    header = [
        "统一社会信用代码",
        "方向",
        "发票号码",
        "开票日期",
        "销方单位代号",
        "金额",
        "税额",
        "价税合计",
        "发票状态",
    ]
    take("invoice", [[FANG, "进项", "00012345", "2026-05-02", "A1", "-943.4", "-56.6", "-1000", " 有效发票"]], header)
    (record,) = held(tx, "invoice")
    assert (record.key, record.code, record.status, record.party) == ("in|00012345", "in", "valid", "A1")
    assert (record.amount_fen, record.details) == (-100000, {"net_fen": -94340, "tax_fen": -5660})


def test_the_same_file_twice_changes_nothing_and_says_so(tx: Session, folder: Path, mirror: Path) -> None:
    path = write(folder / "tax_payment__a.csv", TAX, [tax()])
    first = take_feed(tx, SYSTEM, path, delivery=Delivery(DAY), mirror=mirror)
    second = take_feed(tx, SYSTEM, path, delivery=Delivery(date(2026, 6, 20)), mirror=mirror)
    assert (first.is_repeat, second.is_repeat, second.feed.id) == (False, True, first.feed.id)
    assert len(held(tx)) == len(feeds.list_latest(tx)) == 1


def test_the_same_rows_in_another_file_are_counted_as_duplicates(take: Take, tx: Session) -> None:
    take("tax_payment", [tax(), tax(tax="cit")])
    feed = take("tax_payment", [tax(tax="cit"), tax(), tax(FENG)], on=date(2026, 6, 20)).feed
    assert (feed.received, feed.valid, feed.duplicates) == (3, 1, 2)
    assert len(held(tx)) == 3


def test_the_same_row_twice_in_one_file_is_kept_once(take: Take, tx: Session) -> None:
    feed = take("tax_payment", [tax(), tax(FENG), tax(amount="100.5")]).feed
    assert (feed.received, feed.valid, feed.duplicates, feed.quarantined) == (3, 2, 1, 0)
    assert len(held(tx)) == 2


def test_a_corrected_record_takes_the_place_of_the_old_one_and_both_stay(take: Take, tx: Session) -> None:
    take("tax_payment", [tax(amount="100")], on=date(2026, 5, 10))
    feed = take("tax_payment", [tax(amount="90")], on=date(2026, 6, 10)).feed
    old, new = held(tx)
    assert (feed.valid, feed.corrected) == (1, 1)
    assert (old.superseded_on, new.superseded_on) == (date(2026, 6, 10), None)
    assert in_sight(tx, FANG, date(2026, 6, 9)) == [("2026-03|vat", 10000)]
    assert in_sight(tx, FANG, date(2026, 6, 10)) == [("2026-03|vat", 9000)]


def test_a_correction_back_to_the_first_value_is_a_version_of_its_own(take: Take, tx: Session) -> None:
    for day, amount in ((1, "1"), (2, "2"), (3, "1.0")):
        take("tax_payment", [tax(amount=amount)], on=date(2026, 6, day))
    versions = [(r.amount_fen, r.superseded_on and r.superseded_on.day) for r in held(tx)]
    assert versions == [(100, 2), (200, 3), (100, None)]


def test_a_correction_on_the_same_day_hides_the_wrong_row_at_once(take: Take, tx: Session) -> None:
    take("tax_payment", [tax(amount="1")])
    take("tax_payment", [tax(amount="2")])
    assert in_sight(tx, FANG, DAY) == [("2026-03|vat", 200)]


def test_a_contradiction_within_one_file_is_quarantined_and_the_first_row_taken(take: Take, tx: Session) -> None:
    feed = take("tax_payment", [tax(amount="1"), tax(amount="2"), tax(amount="1"), tax(FENG)]).feed
    assert (feed.received, feed.valid, feed.duplicates, feed.quarantined) == (4, 2, 1, 1)
    assert in_sight(tx, FANG, DAY) == [("2026-03|vat", 100)]
    ((line, faults, row),) = records.quarantined_rows(tx, feed.id)
    assert (line, faults[0]["reason"], row["amount"]) == (3, "duplicate_in_file", "2")


def test_history_arrives_in_any_order_and_every_day_sees_what_was_known_then(take: Take, tx: Session) -> None:
    header = [*TAX, "known_on"]
    take("tax_payment", [[*tax(amount="3"), "2026-06-01"], [*tax(amount="1"), "2026-04-10"]], header, is_history=True)
    feed = take(
        "tax_payment", [[*tax(amount="2"), "2026-05-01"], [*tax(amount="1"), "2026-04-20"]], header, is_history=True
    ).feed
    assert (feed.valid, feed.duplicates, feed.known_from) == (1, 1, date(2026, 4, 20))
    seen = [in_sight(tx, FANG, date(2026, *day)) for day in ((4, 9), (4, 10), (4, 30), (5, 1), (5, 31), (6, 1))]
    assert [rows[0][1] if rows else None for rows in seen] == [None, 100, 100, 200, 200, 300]


def test_a_file_of_the_day_may_not_say_when_it_was_known(take: Take) -> None:
    taken = take("tax_payment", [[*tax(), "2026-04-01"]], [*TAX, "归集日期"])
    assert taken.feed.state == "failed"
    assert "归集日期" in str(taken.failure)


def test_a_repair_outlives_the_department_sending_the_old_row_again(take: Take, tx: Session) -> None:
    header = ["uscc", "decision_no", "class", "fine", "decided_on", "status"]
    take("penalty", [[FANG, "P1", "一般", "5000", "2026-05-01", "open"]], header, on=date(2026, 5, 6))
    (record,) = held(tx, "penalty")
    records.withdraw(tx, record.id, date(2026, 6, 1))
    again = take("penalty", [[FANG, "P1", "general", "5000.00", "2026/5/1", "未履行"]], header).feed
    changed = take("penalty", [[FANG, "P1", "general", "4000", "2026/5/1", "done"]], header, on=date(2026, 6, 20)).feed
    assert (again.duplicates, changed.corrected) == (1, 1)
    assert in_sight(tx, FANG, date(2026, 5, 31)) == [("P1", 500000)]
    assert in_sight(tx, FANG, date(2026, 6, 25)) == []


def test_after_a_won_objection_what_the_department_corrects_is_seen_and_what_was_wrong_is_not(
    take: Take, tx: Session
) -> None:
    def sends(fine: str, day: int) -> None:
        header = ["uscc", "decision_no", "class", "fine", "decided_on", "status"]
        take("penalty", [[FANG, "P1", "general", fine, "2026-05-01", "open"]], header, on=date(2026, 6, day))

    sends("5000", 1)
    (record,) = held(tx, "penalty")
    won = {
        "record_id": record.id,
        "uscc": FANG,
        "district": "410102",
        "item": "penalty",
        "key": "P1",
        "wrong": "amount",
    }
    won |= {"right_is": "4000", "raised_on": date(2026, 6, 2), "raised_at": NOON, "state": "upheld", "answer": "属实"}
    won |= {"closed_on": date(2026, 6, 5), "closed_at": NOON, "waits_for_calendar": False}
    objections.add(tx, won | {"file_kind": "", "file_name": "", "sha256": "", "size": 0})
    records.withdraw(tx, record.id, date(2026, 6, 5))
    sends("5000.0", 6)
    sends("4000", 12)
    assert in_sight(tx, FANG, date(2026, 6, 11)) == []
    assert in_sight(tx, FANG, date(2026, 6, 12)) == [("P1", 400000)]
    sends("5000.00", 20)
    assert in_sight(tx, FANG, date(2026, 6, 19)) == [("P1", 400000)]
    assert in_sight(tx, FANG, date(2026, 6, 20)) == []


def test_an_adverse_record_leaves_sight_when_its_publication_ends(take: Take, tx: Session) -> None:
    header = ["uscc", "decision_no", "class", "decided_on", "published_until", "status"]
    take("penalty", [[FANG, "P1", "minor", "2026-03-01", "2026-06-20", "done"]], header)
    assert len(in_sight(tx, FANG, date(2026, 6, 19))) == 1
    assert in_sight(tx, FANG, date(2026, 6, 20)) == []


def test_registration_and_annual_report_make_the_firm_in_whichever_order_they_come(take: Take, tx: Session) -> None:
    report = ["uscc", "year", "reported_on", "employees", "revenue", "assets"]
    take(
        "annual_report",
        [[FANG, "2025", "2026-03-01", 12, "1500000", "10"], [FANG, "2024", "2025-03-01", 1, "1", "1"]],
        report,
    )
    assert firms.find(tx, FANG) is None
    take("registration", [[FANG, "方记面馆", "企业", "金水区", "6210", "2019-04-01", "存续", "租赁"]], REGISTRATION)
    firm = firms.get(tx, FANG)
    assert (firm.name, firm.kind, firm.district, firm.industry) == ("方记面馆", "enterprise", "410105", "H6210")
    assert (firm.status, firm.employees, firm.revenue_fen, firm.size_class) == ("active", 12, 150_000_000, "small")
    take("annual_report", [[FANG, "2025", "2026-03-01", 9, "1500000", "10"]], report, on=date(2026, 6, 20))
    tx.expire_all()
    assert firms.get(tx, FANG).size_class == "micro"


def test_a_firm_without_an_annual_report_is_unclassified(take: Take, tx: Session) -> None:
    take("registration", [[FENG, "冯记", "individual", "410181", "F52", "2022-01-01", "active", "none"]], REGISTRATION)
    assert firms.get(tx, FENG).size_class == "unclassified"


def test_an_items_first_feed_is_not_looked_through_once_for_every_firm(reused: ServerAddress) -> None:
    """Before it the planner takes the item for empty; even with nothing better left it must not find firms by item."""
    with psycopg.connect(reused.admin_url) as admin:
        admin.execute(f"CREATE TEMP TABLE touched (uscc text); {firms._SIZE_LINE}")
        admin.execute("DROP INDEX record_in_force; SET LOCAL enable_seqscan = off")
        plan = str(admin.execute("EXPLAIN " + firms._REFRESH.replace(":wrong_codes", "'{}'")).fetchall())
        admin.rollback()
    assert "on record a" in plan
    assert "record_by_day" not in plan


def test_a_wrong_check_character_is_let_in_flagged_and_counted(take: Take, tx: Session) -> None:
    wrong = "91350211M0000XUF46"
    row = [wrong, "厦门某公司", "enterprise", "410105", "F52", "2020-01-01", "active", "owned"]
    registered = take("registration", [row, [FANG, *row[1:]]], REGISTRATION).feed
    paid = take("tax_payment", [tax(wrong), tax(wrong, tax="cit"), tax()]).feed
    assert (registered.valid, registered.wrong_codes, paid.valid, paid.wrong_codes) == (2, 1, 3, 2)
    assert [firms.get(tx, code).wrong_code for code in (wrong, FANG)] == [True, False]


def test_records_of_a_firm_nobody_registered_are_kept_and_counted(take: Take, tx: Session) -> None:
    take("registration", [[FANG, "方", "enterprise", "410105", "F52", "2020-01-01", "active", "owned"]], REGISTRATION)
    feed = take("tax_payment", [tax(), tax(OU), tax(OU, tax="cit")]).feed
    assert (feed.valid, feed.unregistered) == (3, 2)


def test_a_firm_whose_facts_changed_is_marked_and_one_whose_did_not_is_not(take: Take, tx: Session) -> None:
    take("tax_payment", [tax(), tax(FENG)])
    marked = firms.list_stale(tx)
    assert {uscc for uscc, _ in marked} == {FANG, FENG}
    assert firms.clear_stale(tx, [FANG, FENG], max(at for _, at in marked)) == 2
    take("tax_payment", [tax(), tax(FENG, amount="7")], on=date(2026, 6, 20))
    assert {uscc for uscc, _ in firms.list_stale(tx)} == {FENG}


def test_the_firms_a_feed_touched_are_counted_as_its_records_are(take: Take, tx: Session) -> None:
    header = [*TAX, "known_on"]
    old = [[*tax(amount="1"), "2026-04-01"], [*tax(FENG), "2026-04-01"], [*tax(OU), "2026-04-01"]]
    take("tax_payment", old, header, is_history=True)
    known, corrected = tax(FENG), tax(OU, amount="7")
    new = [tax(tax="cit"), tax(FENG, tax="cit"), tax(FENG, tax="cit"), tax(FENG, tax="cit", amount="9"), tax("bad")]
    back_in_time = [*tax(amount="1"), "2026-05-01"], [*tax(amount="2"), "2026-03-31"]
    for rows in ([[*row, "2026-06-01"] for row in (known, corrected, *new)], back_in_time):
        feed = take("tax_payment", rows, header, is_history=True).feed
        brought = text("SELECT uscc, count(*) FROM record WHERE feed_id = :id GROUP BY 1 ORDER BY 1")
        touched = tx.execute(text("SELECT uscc, rows FROM pg_temp.touched ORDER BY 1")).all()
        assert touched == tx.execute(brought, {"id": feed.id}).all()
        assert feed.valid == feed.unregistered == sum(row.rows for row in touched)
    assert (feed.valid, feed.duplicates) == (1, 1)


@pytest.mark.parametrize("few", [0, 10**9], ids=["one by one", "all together"])
def test_facts_known_already_are_found_whether_the_file_is_small_or_large(
    take: Take, tx: Session, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    monkeypatch.setattr(records, "_FEW", few)
    months = [f"2025-{month:02d}" for month in range(1, 13)]
    take("tax_payment", [tax(firm, month) for firm in (FANG, FENG) for month in months], on=date(2026, 5, 10))
    again = [tax(FANG, month) for month in months] + [tax(FENG, "2025-01", amount="7"), tax(OU), tax(FENG, "bad")]
    feed = take("tax_payment", again).feed
    assert (feed.valid, feed.corrected, feed.duplicates, feed.quarantined) == (2, 1, 12, 1)
    assert (len(in_sight(tx, FENG, DAY)), ("2025-01|vat", 700) in in_sight(tx, FENG, DAY)) == (12, True)
    assert tx.execute(text("SHOW enable_nestloop")).scalar_one() == "on"


def test_a_mark_set_again_meanwhile_is_not_taken_away(take: Take, tx: Session) -> None:
    take("tax_payment", [tax()])
    ((_, seen_at),) = firms.list_stale(tx)
    take("tax_payment", [tax(amount="7")], on=date(2026, 6, 20))
    assert firms.clear_stale(tx, [FANG], seen_at) == 0


def test_only_the_platform_and_the_operator_may_take_feeds(tx: Session, folder: Path, mirror: Path) -> None:
    path = write(folder / "tax_payment__a.csv", TAX, [tax()])
    for role in (Role.FIRM, Role.OFFICER, Role.BANK_ADMIN, Role.DISTRICT, Role.CITY):
        with pytest.raises(NotAllowed):
            take_feed(tx, Who(role, 1), path, delivery=Delivery(DAY), mirror=mirror)
    assert held(tx) == []


def test_taking_a_feed_leaves_one_entry_in_the_trail(take: Take, tx: Session) -> None:
    feed = take("tax_payment", [tax(), tax(FENG)]).feed
    rows = tx.execute(text("SELECT noun_id, new, details FROM trail WHERE verb = 'take' AND noun = 'feed'")).all()
    assert [(row.noun_id, row.new, row.details["valid"]) for row in rows] == [(feed.id, "taken", 2)]


def test_what_a_feed_brought_is_gone_with_its_transaction(database: Database, folder: Path, mirror: Path) -> None:
    path = write(folder / "tax_payment__a.csv", TAX, [tax()])
    with pytest.raises(RuntimeError, match="power"), transaction(SYSTEM) as tx:
        take_feed(tx, SYSTEM, path, delivery=Delivery(DAY), mirror=mirror)
        raise RuntimeError("power cut")
    with transaction(SYSTEM) as tx:
        assert tx.exec(select(Feed)).all() == []
        assert take_feed(tx, SYSTEM, path, delivery=Delivery(DAY), mirror=mirror).feed.valid == 1


def test_xlsx_and_parquet_are_taken_like_csv(tx: Session, folder: Path, mirror: Path) -> None:
    with xlsxwriter.Workbook(folder / "tax_payment__a.xlsx") as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["统一社会信用代码", "所属期", "税种", "实缴金额", "逾期天数", "缴纳状态"])
        sheet.write_row(1, 0, [FANG, "2026-03", "增值税", 100.5, 0, "按期"])
        sheet.write_row(3, 0, [FENG, "2026-04", "增值税", 20, 2, "逾期已缴"])
    table = pa.table({
        "uscc": [FANG, FENG], "period": ["2026-03", "2026-04"], "tax": ["vat", "vat"], "amount": [100.5, 20.0],
        "days_late": [0, 2], "status": ["on_time", "late"],
    })  # fmt: skip
    pq.write_table(table, folder / "tax_payment__a.parquet")
    first = take_feed(tx, SYSTEM, folder / "tax_payment__a.xlsx", delivery=Delivery(DAY), mirror=mirror)
    second = take_feed(tx, SYSTEM, folder / "tax_payment__a.parquet", delivery=Delivery(DAY), mirror=mirror)
    assert (first.failure, first.feed.valid, second.feed.valid, second.feed.duplicates) == (None, 2, 0, 2)
    assert [(record.uscc, record.line, record.amount_fen) for record in held(tx)] == [(FANG, 2, 10050), (FENG, 4, 2000)]


def test_chinese_text_is_the_same_from_every_encoding(tx: Session, folder: Path, mirror: Path) -> None:
    for number, encoding in enumerate(("utf-8", "utf-8-sig", "gb18030", "utf-16")):
        row = [FANG, "龘靐面馆𠮷", "企业", "金水区", "F52", "2019-04-01", "存续", "租赁"]
        header = ["统一社会信用代码", "名称", "主体类型", "所属区域", "行业代码", "成立日期", "经营状态", "场所性质"]
        path = write(folder / f"registration__{number}.csv", header, [row], encoding)
        taken = take_feed(tx, SYSTEM, path, delivery=Delivery(DAY), mirror=mirror)
        assert taken.failure is None
        assert (taken.feed.encoding, taken.feed.quarantined) == (encoding.removesuffix("-sig"), 0)
    tx.expire_all()
    assert tx.exec(select(Firm.name)).all() == ["龘靐面馆𠮷"]
    assert len(held(tx, "registration")) == 1


def test_timeliness_counts_new_facts_by_the_catalogues_days(take: Take, tx: Session) -> None:
    header = ["uscc", "decision_no", "class", "decided_on", "status"]
    rows = [[FANG, "P1", "minor", "2026-06-11", "open"], [FANG, "P2", "minor", "2026-06-10", "open"]]
    first = take("penalty", rows, header, on=date(2026, 6, 23)).feed  # 7 working days, the 19th is a holiday
    assert (first.on_time, first.late) == (1, 1)
    rows[0][4] = "done"
    correction = take("penalty", rows, header, on=date(2026, 9, 1)).feed
    assert (correction.corrected, correction.duplicates, correction.on_time, correction.late) == (1, 1, 0, 0)


def test_reporting_figures_are_the_sums_of_the_feeds(take: Take, tx: Session) -> None:
    take("tax_payment", [tax(period="2026-05"), tax(period="2026-01"), tax(period="?")], on=date(2026, 6, 10))
    take("tax_payment", [tax(period="2026-05"), tax(FENG, period="2026-05")], on=date(2026, 6, 12))
    take("tax_payment", [["x"]], ["colour"], on=date(2026, 6, 12))
    (line,) = feeds.delivered(tx, date(2026, 6, 1), date(2026, 6, 30))
    assert (line.department, line.item, line.month, line.feeds, line.failed) == (
        "tax",
        "tax_payment",
        date(2026, 6, 1),
        3,
        1,
    )
    assert (line.received, line.valid, line.duplicates, line.quarantined) == (5, 3, 1, 1)
    assert (line.on_time, line.late, line.on_time_share, line.wrong_code_share) == (2, 1, 2 / 3, 1 / 5)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 3), st.sampled_from(["2026-01", "2026-02", "2027-01", "?"]),
                          st.sampled_from(["1", "2", "x"])), min_size=1, max_size=30))  # fmt: skip
def test_every_row_received_is_valid_or_a_duplicate_or_in_quarantine(
    take: Take, tx: Session, rows: list[tuple[int, str, str]]
) -> None:
    firms_ = [FANG, FENG, OU, "nobody"]
    taken = take("tax_payment", [tax(firms_[firm], period, amount) for firm, period, amount in rows])
    feed = taken.feed
    if taken.is_repeat:
        return
    assert feed.received == len(rows) == feed.valid + feed.duplicates + feed.quarantined
    stored = tx.execute(text("SELECT count(*) FROM record WHERE feed_id = :id"), {"id": feed.id}).scalar_one()
    kept = tx.execute(text("SELECT count(*) FROM quarantine WHERE feed_id = :id"), {"id": feed.id}).scalar_one()
    assert (stored, kept) == (feed.valid, feed.quarantined)
    in_force = "SELECT count(*), count(DISTINCT (uscc, key)) FROM record WHERE superseded_on IS NULL"
    assert len(set(tx.execute(text(in_force)).one())) == 1
