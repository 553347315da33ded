"""Bad files and bad rows: each gets a clear message for its sender, a trace for the operator, and nothing is lost."""

import csv
from pathlib import Path

import pytest
import xlsxwriter
from sqlalchemy import text
from sqlmodel import Session, select

from service.actions.take_feed import Delivery, Taken, error_lines, take_feed, write_error_file
from service.domain.errors import NotPossible
from service.domain.people import the_platform
from service.domain.record import Quarantine, Record
from service.intake import feed as files
from service.intake.quarantine import WORDS
from service.store import feeds
from tests.service.intake.feed_files import DAY, FANG, FENG, TAX, Take, tax, write

SYSTEM = the_platform("test")
pytestmark = pytest.mark.database
PEOPLE = ["uscc", "role", "person", "share", "since"]


def taken_from(tx: Session, path: Path) -> Taken:
    return take_feed(tx, SYSTEM, path, "tax_payment", delivery=Delivery(DAY), mirror=path.parent / "mirror")


def faults_of(tx: Session, taken: Taken) -> list[tuple[int, str, str]]:
    rows = tx.exec(select(Quarantine).where(Quarantine.feed_id == taken.feed.id).order_by(Quarantine.line)).all()
    return [(row.line, row.field, row.reason) for row in rows]


def broken_files() -> dict[str, tuple[str, bytes, str]]:
    header = ",".join(TAX).encode() + b"\n"
    twice = header.replace(b"days_late", "实缴金额".encode())
    damaged = "金水区企业纳税记录".encode() * 9 + b"\xe9\x87,1,2,3,4,5\n"
    return {
        "an empty file": ("a.csv", b"", "文件是空的"),
        "only blank lines": ("a.csv", b"\n\n\n", "第一行应是列名"),
        "a header and nothing else": ("a.csv", header, "没有数据行"),
        "a missing column": ("a.csv", b"uscc,period,tax\nx,y,z\n", "缺少.*实缴金额、缴纳状态"),
        "an unknown column": ("a.csv", header.replace(b"days_late", b"mood"), "没有这些列：mood"),
        "a column twice": ("a.csv", twice, "重复的列：实缴金额"),
        "bytes of no encoding": ("a.csv", header + b"\xff\xff\xff\n", "编码无法识别"),
        "zero bytes": ("a.csv", header + b"a\0b,1,2,3,4,5\n", "编码无法识别"),
        "damaged UTF-8": ("a.csv", header + damaged, "编码无法识别"),
        "an XLSX that is no zip": ("a.xlsx", header, "不是有效的 XLSX"),
        "a Parquet file that is none": ("a.parquet", header, "不是有效的 Parquet"),
        "a format nobody reads": ("a.docx", header, "不支持“.docx”格式"),
    }  # fmt: skip


@pytest.mark.parametrize("what", sorted(broken_files()))
def test_a_file_that_cannot_be_read_gets_one_clear_sentence_and_leaves_its_trace(
    tx: Session, folder: Path, what: str
) -> None:
    name, content, sentence = broken_files()[what]
    path = folder / name
    path.write_bytes(content)
    taken = taken_from(tx, path)
    assert taken.failure is not None
    with pytest.raises(type(taken.failure), match=sentence):
        raise taken.failure
    kept = feeds.get(tx, taken.feed.id)
    assert (kept.state, kept.failure.format(**(kept.failure_values or {}))) == ("failed", str(taken.failure))
    assert (kept.received, tx.exec(select(Record)).all()) == (0, [])
    assert not list((folder / "mirror").glob("item=*"))


def test_a_file_that_failed_may_come_again_and_the_next_good_one_is_taken(tx: Session, folder: Path) -> None:
    path = folder / "a.csv"
    path.write_bytes(b"colour\nred\n")
    assert taken_from(tx, path).failure
    assert taken_from(tx, path).failure
    write(path, TAX, [tax()])
    assert taken_from(tx, path).feed.valid == 1


def test_gb18030_simply_works(tx: Session, folder: Path) -> None:
    header = ["统一社会信用代码", "所属期", "税种", "实缴金额", "逾期天数", "缴纳状态"]
    path = write(folder / "a.csv", header, [[FANG, "2026年3月", "增值税", "１２．５", "0", "按期"]], "gb18030")
    taken = taken_from(tx, path)
    assert (taken.failure, taken.feed.encoding, taken.feed.valid) == (None, "gb18030", 1)
    assert tx.exec(select(Record.amount_fen)).all() == [1250]


@pytest.mark.parametrize(
    ("change", "field", "reason"),
    [
        ({0: ""}, "uscc", "missing_required"),
        ({0: "123"}, "uscc", "bad_uscc_format"),
        ({0: "91110000600037341I"}, "uscc", "bad_uscc_format"),
        ({1: ""}, "period", "missing_required"),
        ({1: "2026-13"}, "period", "bad_date"),
        ({1: "yesterday"}, "period", "bad_date"),
        ({1: "2026-06"}, "period", "future_date"),
        ({2: "poll"}, "tax", "unknown_choice"),
        ({3: "1.005"}, "amount", "bad_amount"),
        ({3: "=SUM(A1:A9)"}, "amount", "bad_amount"),
        ({3: "12345678901234"}, "amount", "bad_amount"),
        ({4: "1.5"}, "days_late", "bad_type"),
        ({4: "few"}, "days_late", "bad_type"),
        ({4: "-1"}, "days_late", "out_of_range"),
        ({5: "perhaps"}, "status", "unknown_choice"),
    ],
)
def test_a_bad_cell_sends_its_row_to_quarantine_with_field_and_reason(
    take: Take, tx: Session, change: dict[int, str], field: str, reason: str
) -> None:
    bad = [change.get(place, cell) for place, cell in enumerate(tax(FENG))]
    taken = take("tax_payment", [tax(), bad])
    assert faults_of(tx, taken) == [(3, field, reason)]
    (row,) = tx.exec(select(Quarantine)).all()
    assert row.row == dict(zip(TAX, [str(cell) for cell in bad], strict=True))
    assert (taken.feed.valid, taken.feed.quarantined) == (1, 1)


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        ("2026-02-30", "bad_date"),
        ("30.02.2026", "bad_date"),
        ("2026-07-01", "future_date"),
        ("0026-01-01", "bad_date"),
        ("1e9", "bad_date"),
    ],
)
def test_a_day_that_is_none_or_lies_ahead_is_named(take: Take, tx: Session, typed: str, reason: str) -> None:
    taken = take("people", [[FANG, "股东", "p1", "0.5", typed]], PEOPLE)
    assert faults_of(tx, taken) == [(2, "since", reason)]


@pytest.mark.parametrize(
    "typed", ["2026-03-01", "2026/3/1", "2026.03.01", "20260301", "2026年3月1日", "2026-03-01 08:30:00"]
)
def test_a_day_may_be_written_in_the_usual_ways(take: Take, tx: Session, typed: str) -> None:
    take("people", [[FANG, "股东", "p1", "50%", typed]], PEOPLE)
    (record,) = tx.exec(select(Record)).all()
    assert (record.happened_on.isoformat(), record.quantity) == ("2026-03-01", 0.5)


def test_a_share_above_one_is_out_of_range(take: Take, tx: Session) -> None:
    assert faults_of(tx, take("people", [[FANG, "股东", "p1", "4.35", "2026-03-01"]], PEOPLE)) == [
        (2, "share", "out_of_range")
    ]


def test_an_end_before_the_beginning_is_out_of_range(take: Take, tx: Session) -> None:
    taken = take("people", [[FANG, "股东", "p1", "1", "2026-03-01", "2026-02-01"]], [*PEOPLE, "until"])
    assert faults_of(tx, taken) == [(2, "until", "out_of_range")]


def test_a_name_of_three_hundred_characters_is_too_long(take: Take, tx: Session) -> None:
    header = ["uscc", "name", "kind", "district", "industry", "established_on", "status"]
    taken = take("registration", [[FANG, "长" * 300, "企业", "金水区", "F52", "2020-01-01", "存续"]], header)
    assert faults_of(tx, taken) == [(2, "name", "too_long")]
    assert next(iter(tx.exec(select(Quarantine)).all())).row["name"] == "长" * 300


def test_every_fault_of_a_row_is_told(take: Take, tx: Session) -> None:
    take("tax_payment", [["x", "2026-13", "poll", "1.999", "-1", "perhaps"]])
    (row,) = tx.exec(select(Quarantine)).all()
    assert [fault["field"] for fault in row.faults] == TAX
    assert (row.field, row.reason) == ("uscc", "bad_uscc_format")


def test_ten_thousand_bad_rows_among_good_ones_hold_nothing_up(take: Take, tx: Session) -> None:
    months = [f"20{year}-{month:02d}" for year in range(10, 26) for month in range(1, 13)]
    good = [tax(FANG if number % 2 else FENG, months[number // 2]) for number in range(2 * len(months))]
    bad = [tax(amount="much") for _ in range(10_000)]
    taken = take("tax_payment", [*bad[:5000], *good, *bad[5000:]])
    assert (taken.feed.valid, taken.feed.quarantined) == (len(good), 10_000)
    assert sum(1 for _ in error_lines(tx, taken.feed)) == 10_001


def test_a_file_of_many_blocks_is_the_same_as_one_of_a_single_block(
    take: Take, tx: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [
        tax(tax=f"{n % 3}" if n % 50 == 0 else "vat", period=f"{1990 + n // 12}-{n % 12 + 1:02d}") for n in range(400)
    ]
    whole = take("tax_payment", rows).feed
    stored = "SELECT uscc, key, amount_fen, line FROM record WHERE feed_id = :id ORDER BY line"
    of_whole = tx.execute(text(stored), {"id": whole.id}).all()
    tx.execute(text("DELETE FROM record"))
    monkeypatch.setattr(files, "BLOCK", 2048)
    pieces = take("tax_payment", [*rows, ["", "", "", "", "", ""]]).feed
    assert (pieces.received, pieces.valid, pieces.quarantined) == (whole.received, whole.valid, whole.quarantined)
    assert (whole.valid, whole.quarantined) == (392, 8)
    assert tx.execute(text(stored), {"id": pieces.id}).all() == of_whole


def test_a_file_that_breaks_off_in_a_late_block_leaves_nothing_of_the_blocks_before(
    tx: Session, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "BLOCK", 2048)
    path = write(folder / "a.csv", TAX, [tax(period=f"{1990 + n // 12}-{n % 12 + 1:02d}") for n in range(400)])
    path.write_bytes(path.read_bytes() + b'"' + b"x" * 9000)
    taken = taken_from(tx, path)
    with pytest.raises(NotPossible, match="引号没有成对"):
        raise taken.failure or AssertionError("taken")
    assert tx.exec(select(Record)).all() == []
    assert not list((folder / "mirror").glob("**/*.parquet"))


def test_a_formula_in_a_cell_is_kept_as_text_and_never_computed(tx: Session, folder: Path) -> None:
    path = folder / "registration__a.xlsx"
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["uscc", "name", "kind", "district", "industry", "established_on", "status"])
        sheet.write_row(1, 0, [FANG, "", "enterprise", "410105", "F52", "2020-01-01", "active"])
        sheet.write_formula(1, 1, "=1+1", value="2")
    taken = take_feed(tx, SYSTEM, path, delivery=Delivery(DAY), mirror=None)
    (record,) = tx.exec(select(Record)).all()
    assert taken.feed.valid == 1
    assert record.details is not None
    assert record.details["name"] == "=1+1"


def test_a_row_with_another_number_of_columns_is_kept_as_it_stood(tx: Session, folder: Path) -> None:
    path = folder / "a.csv"
    good = ",".join(str(cell) for cell in tax())
    path.write_text(f"{','.join(TAX)}\n{good},extra\n\n{good}\nshort,row\n", "utf-8")
    taken = taken_from(tx, path)
    assert faults_of(tx, taken) == [(2, "", "wrong_column_count"), (5, "", "wrong_column_count")]
    assert (taken.feed.received, taken.feed.valid) == (3, 1)
    assert tx.exec(select(Record.line)).all() == [4]


def test_quotes_commas_and_line_breaks_inside_a_cell_survive(take: Take, tx: Session) -> None:
    header = ["uscc", "decision_no", "class", "decided_on", "status", "reason"]
    reason = '未按"规定",公示\n年报\\ 第2条\t'
    take("penalty", [[FANG, "P,1", "minor", "2026-06-01", "open", reason]], header)
    (record,) = tx.exec(select(Record)).all()
    assert record.key == "P,1"
    assert record.details == {"reason": reason.strip(), "authority": None}


def test_the_error_file_has_the_senders_columns_the_line_and_the_reason_in_two_languages(
    take: Take, tx: Session, folder: Path
) -> None:
    taken = take("tax_payment", [tax(), tax(amount="=cmd|' /C calc'!A0"), tax(amount="-1.005")])
    path = folder / "errors.csv"
    assert write_error_file(tx, taken.feed.id, path) == 2
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")
    with path.open(encoding="utf-8-sig", newline="") as file:
        header, formula, number = list(csv.reader(file))
    assert header == ["行号 line", "原因", "reason", *TAX]
    assert formula[:3] == [
        "3",
        "amount: 金额无法识别（元，最多两位小数）",
        "amount: not an amount in yuan with at most two decimals",
    ]
    assert (formula[6], number[6]) == ("'=cmd|' /C calc'!A0", "-1.005")


def test_a_feed_without_faults_has_no_error_file(take: Take, tx: Session, folder: Path) -> None:
    assert write_error_file(tx, take("tax_payment", [tax()]).feed.id, folder / "errors.csv") == 0
    assert not (folder / "errors.csv").exists()


def test_every_coded_reason_has_its_words() -> None:
    assert all(zh and en for zh, en in WORDS.values())
    assert {reason.value for reason in WORDS} >= {"missing_required", "too_long", "duplicate_in_file"}
