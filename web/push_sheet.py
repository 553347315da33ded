"""A push list as a workbook: what the bank may know in locked columns, its answers in open ones; and back again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, BinaryIO

from service.domain.errors import NotPossible
from web import filled_sheet, formats, returned_sheet, words
from web.filled_sheet import Fact, Pattern, Sheet, SheetColumn, SheetRow
from web.language import gettext
from web.language import lazy as _

KIND, VERSION = "answers", "2"
MOST_ROWS = 2_000
FACTS = (
    SheetColumn("id", _("推送项编号"), 11),
    SheetColumn("firm_name", _("企业名称"), 32),
    SheetColumn("uscc", _("统一社会信用代码"), 21),
    SheetColumn("district", _("区县"), 11),
    SheetColumn("industry", _("行业"), 16),
    SheetColumn("light", _("信灯"), 8),
    SheetColumn("amount", _("申请金额（元）"), 16),
    SheetColumn("term", _("期限（月）"), 10),
    SheetColumn("use", _("用途"), 16),
    SheetColumn("product", _("推荐产品"), 18),
    SheetColumn("grade", _("评级"), 7),
    SheetColumn("intended", _("点名贵行"), 10),
    SheetColumn("state", _("进展"), 12),
    SheetColumn("due_step", _("时限事项"), 12),
    SheetColumn("due_on", _("最迟日期"), 12),
)
ANSWERS = (
    SheetColumn("answer", _("反馈"), 14, True, _("从下拉选项中选；不反馈的行留空。")),
    SheetColumn("reason_1", _("拒绝原因一"), 18, True, _("不予通过时至少选一个。")),
    SheetColumn("reason_2", _("拒绝原因二"), 18, True),
    SheetColumn("reason_3", _("拒绝原因三"), 18, True),
    SheetColumn("reason_4", _("拒绝原因四"), 18, True),
    SheetColumn("text", _("说明"), 24, True, _("选“其他”原因或申请延期时必填。")),
    SheetColumn("papers", _("需补资料"), 24, True, _("多份用分号隔开。")),
    SheetColumn("amount_fen", _("报价金额（元）"), 16, True),
    SheetColumn("rate", _("年利率（%）"), 11, True, _("例如 3.45。")),
    SheetColumn("fees_fen", _("费用合计（元）"), 14, True, _("没有费用填 0。")),
    SheetColumn("term_months", _("报价期限（月）"), 14, True),
    SheetColumn("loan_type", _("贷款方式"), 11, True),
    SheetColumn("repayment", _("还款方式"), 20, True),
    SheetColumn("valid_until_on", _("报价有效至"), 13, True, _("例如 2026-07-15；不填按规定的有效期。")),
)
PATTERN = Pattern(
    _("推送清单"),
    FACTS,
    ANSWERS,
    {
        "answer": "answer_kind",
        **{f"reason_{place}": "refusal_reason" for place in range(1, 5)},
        "loan_type": "loan_type",
        "repayment": "repayment",
    },
    most=MOST_ROWS,
)


@dataclass(frozen=True)
class Returned:
    """What came back: the list it answers and, by line, the filled answer cells as text."""

    list_id: int
    cells: Mapping[int, Mapping[str, str]]
    errors: Mapping[int, str] = field(default_factory=dict)
    """Lines whose row itself is wrong."""


def write(
    one: Any,
    lines: Sequence[Any],
    mark: str,
    cells: Mapping[int, Mapping[str, str]] | None = None,
    errors: Mapping[int, str] | None = None,
) -> bytes:
    """The workbook of a list. `mark`: for whom and what for, on each page; `cells` and `errors` fill a copy."""
    rows = [
        SheetRow(line.id, _facts(line), (cells or {}).get(line.id, {}), (errors or {}).get(line.id, ""), line.light)
        for line in lines
    ]
    about = {"kind": KIND, "version": VERSION, "list_id": str(one.id), "content_hash": one.content_hash}
    how = (gettext("怎样填"), gettext("只填右边的反馈列，其余各列已锁定。填好后在“今日清单”页上传，先核对再确认。"))
    return filled_sheet.write(about, [Sheet(PATTERN, str(one.id), rows)], mark, [how, *PATTERN.hints])


def read(file: BinaryIO) -> Returned:
    """The answers in a returned workbook. Errors: NotPossible with the sentence for whoever sent it."""
    book = returned_sheet.open_returned(file)
    try:
        known = returned_sheet.told(book, KIND, VERSION)
        list_id = known[0].get("list_id", "")
        if not list_id.isdecimal():
            raise NotPossible("清单的版本不对，请重新下载后再填。")
        back = returned_sheet.read_sheet(book, 0, PATTERN, list_id, known)
        return Returned(int(list_id), back.cells, back.errors)
    finally:
        book.close()


def _facts(line: Any) -> dict[str, Fact]:
    """What is known of a line; where the consent is gone, the firm is not in it."""
    known: dict[str, Fact | None] = {
        "firm_name": line.firm_name or gettext("企业已撤回授权"),
        "uscc": line.uscc or "",
        "district": words.district(line.district),
        "industry": words.industry(line.industry) if line.industry else "",
        "light": words.of("light", line.light) if line.light else "",
        "amount": Decimal(line.amount_fen) / 100,
        "term": line.term_months or None,
        "use": words.of("use_of_loan", line.use) if line.use else "",
        "product": line.product_name,
        "grade": line.grade or "",
        "intended": gettext("是") if line.is_intended else "",
        "state": words.of("line_state", line.state),
        "due_step": "" if line.closed_on else words.of("due_step", line.due_step),
        "due_on": line.due_on,
    }
    return {key: fact for key, fact in known.items() if fact is not None}


def mark_for(bank: str, person: str, at: datetime) -> str:
    """The line that says what the file is for: on each printed page and the explaining sheet."""
    said = {"bank": bank, "person": person, "at": formats.moment(at)}
    return gettext("仅供%(bank)s审查贷款使用，不得转交他人。%(person)s，%(at)s 导出。") % said
