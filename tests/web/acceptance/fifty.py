"""A bank's morning with fifty firms on its list, and its workbook there and back."""

import io
from typing import Any

import openpyxl
from sqlalchemy import text

from service.actions.push_lists import push_missing
from service.store.database import Database
from tests.browser import Browser, Page
from tests.builders import (
    NOW,
    PLATFORM,
    TODAY,
    Small,
    a_demand,
    a_firm_with_records,
    a_small_world,
    rows_of,
    some_tools,
)
from web import words

MANY = 50


def a_list_of_fifty(database: Database) -> Small:
    """Fifty firms with good records, each pushed to Bai's bank."""
    with database.transaction(PLATFORM) as tx:
        made = a_small_world(tx)
        tx.execute(text("UPDATE product SET places_per_day = 60, quota_fen = 100000000000"))
        tools = some_tools(tx)
        for number in range(MANY):
            uscc = a_firm_with_records(tx, f"91410199MA0001{number:02d}1X", name=f"郑州第{number}商贸有限公司")
            a_demand(tx, uscc, (made.bank,), tools, amount_fen=10_000_001 + 1_000_003 * number)
        push_missing(tx, PLATFORM, TODAY, NOW, tools)
    return made


def workbook(officer: Browser, database: Database) -> bytes:
    """The list as the bank downloads it."""
    with database.transaction(PLATFORM) as tx:
        (one,) = rows_of(tx, "push_list")
    answer = officer.client.get(f"/push-lists/{one['id']}.xlsx")
    assert answer.status_code == 200
    return answer.content


def filled_in(content: bytes) -> bytes:
    """What an officer fills in: odd offers on every fifth row, a refusal on every third, received otherwise."""
    book = openpyxl.load_workbook(io.BytesIO(content))
    sheet = book.worksheets[0]
    at = {cell.value: cell.column for cell in sheet[1]}
    for row in range(2, sheet.max_row + 1):
        for head, value in answer_to(row).items():
            sheet.cell(row, at[head]).value = value
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def answer_to(row: int) -> dict[str, object]:
    """The answer cells of a row of the sheet."""
    if row % 5 == 0:
        return {
            "反馈": "报价", "报价金额（元）": 100_000.01 + 0.01 * row, "年利率（%）": 4.35, "费用合计（元）": 0.1,
            "报价期限（月）": 12, "贷款方式": "信用", "还款方式": "等额本息",
        }  # fmt: skip
    return (
        {"反馈": "不予通过", "拒绝原因一": words.of("refusal_reason", "industry")}
        if row % 3 == 0
        else {"反馈": "已接收"}
    )


def returned(officer: Browser, content: bytes) -> Page:
    """The page that says row by row what would be recorded."""
    officer.opens("/push-lists/answers")
    officer.page = officer.uploads("/push-lists/answers", "sheet", ("清单.xlsx", content, "application/octet-stream"))
    return officer.page


def answers_of(database: Database) -> list[dict[str, Any]]:
    with database.transaction(PLATFORM) as tx:
        return [dict(row) for row in rows_of(tx, "answer")]
