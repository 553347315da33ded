"""Where each role may go from every page: short words, one question each."""

from dataclasses import dataclass

from web.language import Phrase
from web.language import lazy as _


@dataclass(frozen=True)
class Item:
    """One entry; it is current on its own address and on those below it."""

    address: str
    label: Phrase
    tally: str | None = None
    """The name of the count shown beside it (unread messages, lines due)."""

    def is_current(self, path: str) -> bool:
        return path == self.address or path.startswith(self.address + "/")


FIRM = (
    Item("/firm", _("首页")),
    Item("/products", _("产品")),
    Item("/firm/consents", _("授权")),
    Item("/firm/records", _("资料")),
    Item("/firm/notices", _("消息"), "notices"),
)
OFFICER = (
    Item("/push-lists", _("今日清单"), "due"),
    Item("/bank/products", _("产品")),
    Item("/bank/figures", _("业绩")),
    Item("/bank/urgings", _("督办"), "urgings"),
    Item("/enquiries", _("扫码"), "enquiries"),
    Item("/bank/notices", _("消息"), "notices"),
)
BANK_ADMIN = (*OFFICER, Item("/bank/people", _("人员")))
DISTRICT = (
    Item("/district", _("待办"), "due"),
    Item("/visits", _("走访")),
    Item("/obstacles", _("堵点台账")),
    Item("/demands", _("需求")),
    Item("/objections", _("异议"), "objections"),
    Item("/enquiries", _("扫码"), "enquiries"),
    Item("/figures", _("统计")),
    Item("/district/notices", _("消息"), "notices"),
    Item("/registrations", _("登记")),
    Item("/policy", _("政策")),
)
CITY = (
    Item("/figures", _("统计")),
    Item("/banks", _("银行")),
    Item("/urgings", _("督办"), "urgings"),
    Item("/targets", _("目标")),
    Item("/briefings", _("简报")),
    Item("/demands", _("需求")),
    Item("/obstacles", _("堵点台账")),
    Item("/visits", _("走访")),
    Item("/certificates", _("匹配凭证")),
    Item("/rehearsals", _("政策预演")),
    Item("/registrations", _("登记")),
    Item("/enquiries", _("扫码")),
    Item("/policy", _("政策")),
)
OPERATOR = (
    Item("/operator", _("运行")),
    Item("/operator/feeds", _("报送")),
    Item("/objections", _("异议"), "objections"),
    Item("/operator/jobs", _("任务")),
    Item("/operator/outbox", _("外发")),
    Item("/operator/lists", _("清单")),
    Item("/operator/clocks", _("时限")),
    Item("/operator/models", _("模型")),
    Item("/operator/calendar", _("日历")),
    Item("/operator/people", _("人员")),
    Item("/operator/trail", _("留痕")),
)
MENUS = {
    "firm": FIRM,
    "officer": OFFICER,
    "bank_admin": BANK_ADMIN,
    "district": DISTRICT,
    "city": CITY,
    "operator": OPERATOR,
}

LONG, FIRST = 7, 3
"""A menu with more entries than the first number shows on a phone only as many as the second; the others unfold."""


def parted(items: tuple[Item, ...]) -> tuple[tuple[Item, ...], tuple[Item, ...]]:
    """The entries always in sight, and those that a narrow screen folds away; a short menu is whole."""
    return (items, ()) if len(items) <= LONG else (items[:FIRST], items[FIRST:])


def current(items: tuple[Item, ...], path: str) -> Item | None:
    """The entry a page belongs to: the longest address that fits."""
    fitting = [item for item in items if item.is_current(path)]
    return max(fitting, key=lambda item: len(item.address), default=None)
