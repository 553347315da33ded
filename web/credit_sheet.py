"""What a bank reports of credit as a workbook: what awaits a grant, what awaits drawdown, and columns to fill in."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, BinaryIO

from service.domain.errors import NotPossible
from web import filled_sheet, returned_sheet, words
from web.filled_sheet import Fact, Pattern, Sheet, SheetColumn, SheetRow
from web.language import gettext
from web.language import lazy as _
from web.returned_sheet import SheetBack

KIND, VERSION = "credit", "1"
MOST_ROWS = 2_000
FIRM = (
    SheetColumn("firm_name", _("企业名称"), 32),
    SheetColumn("uscc", _("统一社会信用代码"), 21),
    SheetColumn("demand_number", _("需求编号"), 18),
)
GRANTS = Pattern(
    _("待授信"),
    (
        SheetColumn("id", _("推送项编号"), 11),
        *FIRM,
        SheetColumn("product", _("推荐产品"), 18),
        SheetColumn("offer_amount", _("报价金额（元）"), 16),
        SheetColumn("offer_rate", _("报价年利率"), 11),
        SheetColumn("offer_term", _("报价期限（月）"), 10),
        SheetColumn("offer_type", _("报价担保方式"), 11),
        SheetColumn("due_on", _("最迟日期"), 12),
    ),
    (
        SheetColumn("granted_on", _("授信日期"), 13, True, _("例如 2026-06-30；不报送的行留空。")),
        SheetColumn("amount_fen", _("授信金额（元）"), 16, True, _("留空即按企业接受的报价，下面三列同样。")),
        SheetColumn("rate", _("年利率（%）"), 11, True, _("例如 3.45。")),
        SheetColumn("term_months", _("期限（月）"), 11, True),
        SheetColumn("loan_type", _("担保方式"), 11, True, _("从下拉选项中选。")),
        SheetColumn("loan_kind", _("贷款类别"), 18, True, _("留空时由平台按已有记录判断是不是首贷。")),
    ),
    {"loan_type": "loan_type", "loan_kind": "loan_kind"},
    most=MOST_ROWS,
)
DRAWDOWNS = Pattern(
    _("待放款"),
    (
        SheetColumn("id", _("授信编号"), 11),
        *FIRM,
        SheetColumn("granted", _("授信金额（元）"), 16),
        SheetColumn("left", _("未放款（元）"), 16),
        SheetColumn("granted_rate", _("授信年利率"), 11),
        SheetColumn("granted_term", _("期限（月）"), 10),
        SheetColumn("granted_on", _("授信日期"), 12),
    ),
    (
        SheetColumn("loan_number", _("借据号"), 24, True, _("贵行自己的借据号，每笔一个。"), is_text=True),
        SheetColumn(
            "amount_fen", _("放款金额（元）"), 16, True, _("合计不超过授信金额；一笔授信分几次放款的，分几次上传。")
        ),
        SheetColumn("rate", _("年利率（%）"), 11, True, _("留空即按授信年利率。")),
        SheetColumn("drawn_on", _("放款日期"), 13, True, _("例如 2026-06-30。")),
        SheetColumn("matures_on", _("到期日期"), 13, True, _("留空即按放款日期加授信期限。")),
    ),
    {},
    most=MOST_ROWS,
)


@dataclass(frozen=True)
class Returned:
    """What came back: by line what was granted, by grant what was paid out."""

    grants: SheetBack = field(default_factory=SheetBack)
    drawdowns: SheetBack = field(default_factory=SheetBack)

    @property
    def is_empty(self) -> bool:
        return not self.grants.cells and not self.drawdowns.cells


@dataclass(frozen=True)
class Rows:
    """What goes out: the bank's lines and grants, in their order."""

    bank_id: int
    lines: Sequence[Any]
    grants: Sequence[Any]


def write(rows: Rows, mark: str, filled: Returned | None = None) -> bytes:
    """The workbook. `filled`: a copy of what came back, with a comment on every row that was not taken."""
    back = filled or Returned()
    sheets = [
        Sheet(GRANTS, _scope("grant", rows.bank_id), _rows(rows.lines, _of_line, back.grants)),
        Sheet(DRAWDOWNS, _scope("drawdown", rows.bank_id), _rows(rows.grants, _of_grant, back.drawdowns)),
    ]
    how = gettext("只填右边的列，其余各列已锁定。填好后在“报送授信和放款”页上传，先核对再确认。")
    said = [(gettext("怎样填"), how), *GRANTS.hints, *DRAWDOWNS.hints]
    about = {"kind": KIND, "version": VERSION, "bank_id": str(rows.bank_id)}
    return filled_sheet.write(about, sheets, mark, said)


def read(file: BinaryIO, bank_id: int) -> Returned:
    """What a returned workbook reports. Errors: NotPossible with the sentence for whoever sent it."""
    book = returned_sheet.open_returned(file)
    try:
        known = returned_sheet.told(book, KIND, VERSION)
        if known[0].get("bank_id") != str(bank_id):
            raise NotPossible("这份表不是贵行下载的。")
        return Returned(
            returned_sheet.read_sheet(book, 0, GRANTS, _scope("grant", bank_id), known),
            returned_sheet.read_sheet(book, 1, DRAWDOWNS, _scope("drawdown", bank_id), known),
        )
    finally:
        book.close()


def _scope(kind: str, bank_id: int) -> str:
    return f"{kind}|{bank_id}"


def _rows(rows: Sequence[Any], facts: Callable[[Any], dict[str, Fact]], back: SheetBack) -> list[SheetRow]:
    return [SheetRow(row.id, facts(row), back.cells.get(row.id, {}), back.errors.get(row.id, "")) for row in rows]


def _of_line(line: Any) -> dict[str, Fact]:
    facts = _firm(line) | {
        "product": line.product_name,
        "offer_amount": Decimal(line.amount_fen) / 100,
        "offer_rate": _percent(line.rate),
        "offer_term": line.term_months,
        "offer_type": words.of("loan_type", line.loan_type),
    }
    return facts | {"due_on": line.due_on} if line.due_on else facts


def _of_grant(grant: Any) -> dict[str, Fact]:
    return _firm(grant) | {
        "granted": Decimal(grant.amount_fen) / 100,
        "left": Decimal(grant.left_fen) / 100,
        "granted_rate": _percent(grant.rate),
        "granted_term": grant.term_months,
        "granted_on": grant.granted_on,
    }


def _firm(row: Any) -> dict[str, Fact]:
    """The firm, as long as the bank may see it."""
    return {
        "firm_name": row.firm_name or gettext("企业已撤回授权"),
        "uscc": row.uscc or "",
        "demand_number": row.demand_number or "",
    }


def _percent(rate: Decimal) -> str:
    """A rate with every digit it has."""
    return f"{rate * 100:f}".rstrip("0").rstrip(".") + "%"
