"""Every macro in every state, on one page of the demo: for page engineers to look at and browser tests to check."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Annotated, Any

from fastapi import APIRouter, Request
from pydantic import Field
from starlette.responses import Response

from service.domain.fee import Fee, FeeDue, Payee
from service.intake.catalogue import load_catalogue
from service.profiles.profile import LateSource
from web import forms, words
from web.explained import Reason
from web.fees import with_fees
from web.fit_words import OfBank, Offer
from web.forms import Ask, Filled, Form, blank, read
from web.language import lazy as _
from web.listing import Column, Listing, Wish
from web.render import page
from web.shell import Badge
from web.words import Option

router = APIRouter()


class SampleForm(Form):
    """One field of each kind."""

    name: Annotated[str, forms.wording(most=120), Ask(_("企业名称"), _("与营业执照一致"))]
    uscc: Annotated[forms.Uscc, Ask(_("统一社会信用代码"))]
    amount: Annotated[
        int, forms.money("wan", least=1_000_000, most=5_000_000_000), Ask(_("想借多少"), _("以万元为单位"))
    ]
    rate: Annotated[Decimal | None, forms.percent(), Ask(_("可以接受的最高年利率"))] = None
    use: Annotated[str, Ask(_("用途"))]
    district: Annotated[str, Ask(_("所属区域"))]
    banks: Annotated[tuple[str, ...], Ask(_("授权哪些银行查看"), _("每家银行单独授权，随时可以撤回"))] = ()
    note: Annotated[str, forms.wording(lines=True), Ask(_("补充说明"))] = ""
    on: Annotated[date | None, Ask(_("希望到账日期"))] = None
    paper: Annotated[object, Ask(_("上传资料"), _("照片或 PDF，不超过 10 MB"))] = None
    agree: Annotated[bool, Ask(_("以上内容属实"))] = Field(default=False)
    rows: Annotated[tuple[str, ...], Ask(_("需求"))] = ()


@dataclass(frozen=True)
class Finding:
    light: str
    title: str
    sentence: str
    changes_when: str = ""


@dataclass(frozen=True)
class Step:
    """One step of a timeline; tense is done, now or ahead."""

    what: str
    when: str
    tense: str
    who: str = ""
    note: str = ""


@dataclass(frozen=True)
class Task:
    label: str
    state: str
    tone: str
    address: str = ""
    hint: str = ""


@dataclass(frozen=True)
class Said:
    question: str
    said: str
    change: str = ""


@dataclass(frozen=True)
class Line:
    id: int
    firm: str
    district: str
    light: str
    product: str
    amount_fen: int
    rate: Decimal
    due_on: date
    state: str
    tone: str


@dataclass(frozen=True)
class Sold:
    """A product on offer."""

    name: str
    rate_min: Decimal


@dataclass(frozen=True)
class Cell:
    value: object
    text: str


@dataclass(frozen=True)
class ChartRow:
    name: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Link:
    label: str
    address: str = ""
    is_current: bool = False
    tally: int | None = None


COLUMNS = (
    Column("firm", _("企业"), sortable=True),
    Column("light", _("信用灯")),
    Column("product", _("产品")),
    Column("amount", _("金额（万元）"), numeric=True, sortable=True),
    Column("rate", _("利率上限"), numeric=True),
    Column("due_on", _("最迟答复"), numeric=True, sortable=True),
    Column("state", _("状态")),
)
SHORT_COLUMNS = (Column("source", _("来源")), Column("item", _("内容")), Column("amount", _("金额"), numeric=True))
SAMPLES = """
郑州芳华食品有限公司|410105|green|经营快贷|50|385|30|pushed|wait
中牟县丰禾蔬菜种植农民专业合作社|410122|green|惠农贷|20|435|30|pushed|wait
二七区冯记机电经营部|410103|yellow|税易贷|8.5|450|31|contacted|
河南峰远精密制造有限公司|410172|green|设备更新贷|300|345|32|needs_papers|wait
郑州航空港凤鸣物流有限公司|410173|red|运费贷|120|420|33|refused|wrong
荥阳市方圆建材商行|410182|yellow|经营快贷|15|465|33|offered|done
"""


def _lines() -> tuple[Line, ...]:
    rows = [row.split("|") for row in SAMPLES.split()]
    return tuple(
        Line(number, firm, area, light, product, int(Decimal(wan) * 1_000_000), Decimal(points) / 10_000,
             date(2026, 6, 1) + timedelta(days=int(due) - 1), state, tone)
        for number, (firm, area, light, product, wan, points, due, state, tone) in enumerate(rows, 1)
    )  # fmt: skip


LINES = _lines()
DAYS = ((24, 96, 41), (25, 112, 52), (26, 108, 60), (27, 54, 18), (28, 47, 12), (29, 131, 66), (30, 124, 71))


FEES = tuple(
    fee.told(40_000_000, 12)
    for fee in (
        Fee("担保费", Payee.GUARANTOR, FeeDue.YEARLY, rate=Decimal("0.005")),
        Fee("公证费", Payee.NOTARY, FeeDue.START, amount_fen=40_000),
    )
)


@dataclass(frozen=True)
class Sample:
    """An offer as far as its fees go."""

    fees_fen: int
    fee_items: tuple[dict[str, Any], ...]


@dataclass(frozen=True)
class Silent:
    """A demand whose firm has been silent for long."""

    id: int = 7


@dataclass(frozen=True)
class Raised:
    """An open objection, as its mark shows it."""

    raised_on: date
    due_on: date


@dataclass(frozen=True)
class Guide:
    """The page's view: samples of everything."""

    form: Filled[SampleForm]
    fresh: Filled[SampleForm] = field(
        default_factory=lambda: blank(SampleForm, rate="4.5", use="trade", district="410105")
    )
    lines: Listing[Line] = field(
        default_factory=lambda: Listing(COLUMNS, LINES, 286, "/styleguide", Wish("due_on", descending=False, page=3))
    )
    records: Listing[tuple[str, str, str]] = field(
        default_factory=lambda: Listing(
            SHORT_COLUMNS,
            (("税务局", "2026年5月 增值税 按期", "38,200.00 元"), ("社保中心", "2026年5月 12 人", "9,640.00 元")),
            2,
            "/styleguide",
        )
    )
    nothing: Listing[Line] = field(default_factory=lambda: Listing(COLUMNS, (), 0, "/styleguide"))
    findings: tuple[Finding, ...] = (
        Finding("green", "依法持续经营", "登记状态为存续，已经营 38 个月（要求 12 个月以上）。"),
        Finding(
            "yellow", "信用状况", "缺少最近两个月的纳税数据，暂时不能判断。", "税务局 7 月 10 日前报送后自动重新评判。"
        ),
        Finding(
            "red", "信用状况", "有 1 条未结执行案件，金额 12.6 万元。", "案件履行完毕并由法院更新后，当天重新评判。"
        ),
    )
    reasons: tuple[Reason, ...] = (
        Reason(True, "近12个月逾期缴税2次", "纳税记录", date(2026, 6, 16)),
        Reason(False, "纳税信用等级良好", "纳税缴费信用等级", None),
    )
    products: tuple[OfBank, ...] = (
        OfBank(
            "中原银行",
            (
                Offer(Sold("经营快贷", Decimal("0.0385")), ()),
                Offer(
                    Sold("税易贷", Decimal("0.0405")),
                    ("要求经营时间不低于24个月，现为19个月，自2026年11月1日起满足", "要求纳税信用等级更高（现为未评）"),
                ),
            ),
        ),
        OfBank("农商银行", (Offer(Sold("惠农贷", Decimal("0.0435")), ("期限不超过12个月，现为24个月",)),)),
    )
    steps: tuple[Step, ...] = (
        Step("申报融资需求", "2026年6月27日 09:12", "done", "方女士"),
        Step("即时评判：绿灯", "2026年6月27日 09:12", "done", "平台"),
        Step("推送给 2 家银行", "2026年6月28日 07:00", "done", "平台"),
        Step("中原银行已联系", "2026年6月29日 10:40", "now", "客户经理 白先生", "约定 6 月 30 日上门核实。"),
        Step("银行作出决定", "最迟 2026年7月27日", "ahead"),
    )
    tasks: tuple[Task, ...] = (
        Task("企业基本情况", "已完成", "done", "/styleguide", "城市已经知道的不用再填"),
        Task("融资需求", "进行中", "wait", "/styleguide"),
        Task("授权银行", "未开始", "", "/styleguide"),
        Task("提交", "暂不能开始", "off"),
    )
    answers: tuple[Said, ...] = (
        Said("想借多少", "50 万元", "/styleguide"),
        Said("借多久", "12 个月", "/styleguide"),
        Said("用途", "进货和贸易", "/styleguide"),
        Said("补充说明", "", "/styleguide"),
        Said("信用代码", "91410105MA9KDEMO3X"),
    )
    trend: tuple[ChartRow, ...] = tuple(
        ChartRow(f"6月{day}日", (Cell(reported, str(reported)), Cell(granted, str(granted))))
        for day, reported, granted in DAYS
    )  # fmt: skip
    shares: tuple[ChartRow, ...] = tuple(
        ChartRow(name, (Cell(value, f"{value} 万元"),))
        for name, value in (("信用", 5240), ("抵押", 3120), ("质押", 640), ("保证", 1880))
    )
    grid: tuple[ChartRow, ...] = tuple(
        ChartRow(
            words.district(code),
            tuple(Cell((place * 7 + bank * 13) % 29, str((place * 7 + bank * 13) % 29)) for bank in range(5)),
        )
        for place, code in enumerate(("410102", "410105", "410172", "410181", "ZDXQ"))
    )
    banks: tuple[str, ...] = ("中原银行", "郑州银行", "工商银行", "建设银行", "农商银行")
    bank_options: tuple[Option, ...] = (
        Option("1", "中原银行", "郑州分行营业部，专精小微贷款"),
        Option("2", "郑州银行", "可做首贷和无还本续贷"),
        Option("3", "工商银行"),
    )
    tabs: tuple[Link, ...] = (
        Link("待答复", "/styleguide", is_current=True, tally=18),
        Link("待补资料", "/styleguide", tally=4),
        Link("已答复", "/styleguide", tally=264),
        Link("全部", "/styleguide"),
    )
    crumbs: tuple[Link, ...] = (
        Link("清单", "/styleguide"),
        Link("6月30日 第1号", "/styleguide"),
        Link("郑州芳华食品有限公司"),
    )
    contested: Mapping[str, Raised] = field(
        default_factory=lambda: {"penalty": Raised(date(2026, 6, 29), date(2026, 7, 2))}
    )
    late: tuple[LateSource, ...] = field(
        default_factory=lambda: (LateSource(load_catalogue().items["tax_payment"], date(2026, 4, 2)),)
    )
    demand: Silent = field(default_factory=Silent)
    offer: Sample = field(default_factory=lambda: Sample(240_000, FEES))
    fee_form: Filled[Form] = field(default_factory=lambda: blank(with_fees(Form)))
    record: tuple[tuple[str, str], ...] = (("处罚决定文书号", "郑市监罚〔2026〕18号"), ("处罚金额", "5,000.00 元"))
    today: date = date(2026, 6, 30)


@router.get("/styleguide")
def styleguide(request: Request, wrong: str = "") -> Response:
    """The guide; `?wrong=yes` shows a form sent back with mistakes."""
    request.state.badge = Badge("白先生", "officer", "中原银行 金水支行", {"due": 18})
    sent = read(SampleForm, {"uscc": "123", "amount": "五十万", "name": "方"}) if wrong else blank(SampleForm)
    return page(request, "styleguide.html", Guide(form=sent), part="live")
