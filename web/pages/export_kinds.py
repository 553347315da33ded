"""What can be exported: the lists of the pages, found by the pages' own queries, in the pages' own words."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

from fastapi import Request
from sqlmodel import Session

from service.actions.make_export import About, Batches, Kind
from service.domain.export import ExportKind
from service.domain.people import BANK_ROLES, OFFICIAL_ROLES, Role, Who
from service.store import bank_desk, demand_search, figure_grid, follow_ups, trail_search
from web import export_book, formats, words
from web.export_book import Column
from web.language import gettext, speaking
from web.language import lazy as _
from web.listing import Wish
from web.pages import bank, city, demands, operator_trail
from web.pages.operator_trail import TrailPage

K = ExportKind
MAY: Mapping[ExportKind, frozenset[Role]] = {
    K.PUSH_LINES: BANK_ROLES,
    K.DEMANDS: OFFICIAL_ROLES,
    K.FOLLOW_UPS: OFFICIAL_ROLES,
    K.EVENTS: OFFICIAL_ROLES,
    K.TRAIL: frozenset({Role.OPERATOR}),
}
"""Who may export what: whoever may open the list's own page."""


def _said(group: str, of: Callable[[Any], Any]) -> Callable[[Any], str]:
    """The word of a code, or the code itself where it is older than the words; '' where there is none."""
    return lambda row: str(words.GROUPS[group].get(of(row), of(row) or ""))


def _flag(of: Callable[[Any], Any]) -> Callable[[Any], str]:
    return lambda row: gettext("是") if of(row) else ""


LINES = (
    Column(_("推送项编号"), 11, lambda row: row.id, "whole"),
    Column(_("清单日期"), 12, lambda row: row.listed_on, "day"),
    Column(_("企业名称"), 32, lambda row: row.firm_name or gettext("企业已撤回授权")),
    Column(_("统一社会信用代码"), 21, lambda row: row.uscc),
    Column(_("区县"), 11, lambda row: words.district(row.district)),
    Column(_("行业"), 16, lambda row: words.industry(row.industry) if row.industry else ""),
    Column(_("信灯"), 8, _said("light", lambda row: row.light)),
    Column(_("申请金额（元）"), 16, lambda row: row.amount_fen, "money"),
    Column(_("期限（月）"), 10, lambda row: row.term_months, "whole"),
    Column(_("用途"), 16, _said("use_of_loan", lambda row: row.use)),
    Column(_("推荐产品"), 18, lambda row: row.product_name),
    Column(_("评级"), 7, lambda row: row.grade),
    Column(_("点名贵行"), 10, _flag(lambda row: row.is_intended)),
    Column(_("进展"), 12, _said("line_state", lambda row: row.state)),
    Column(_("最近反馈"), 14, _said("answer_kind", lambda row: row.last_answer)),
    Column(_("反馈日期"), 12, lambda row: row.answered_on, "day"),
    Column(_("时限事项"), 12, lambda row: "" if row.closed_on else words.of("due_step", row.due_step)),
    Column(_("最迟日期"), 12, lambda row: None if row.closed_on else row.due_on, "day"),
    Column(_("授信金额（元）"), 16, lambda row: row.granted_fen, "money"),
    Column(_("年利率"), 10, lambda row: row.grant_rate, "share"),
)
DEMANDS = (
    Column(_("需求编号"), 20, lambda row: row.number),
    Column(_("企业名称"), 32, lambda row: row.firm_name),
    Column(_("统一社会信用代码"), 21, lambda row: row.uscc),
    Column(_("区县"), 11, lambda row: words.district(row.district)),
    Column(_("行业"), 16, lambda row: words.industry(row.industry) if row.industry else ""),
    Column(_("信灯"), 8, _said("light", lambda row: row.light)),
    Column(_("申请金额（元）"), 16, lambda row: row.amount_fen, "money"),
    Column(_("期限（月）"), 10, lambda row: row.term_months, "whole"),
    Column(_("用途"), 16, _said("use_of_loan", lambda row: row.use)),
    Column(_("申报日期"), 12, lambda row: row.reported_on, "day"),
    Column(_("进展"), 14, _said("demand_state", lambda row: row.state)),
    Column(_("下一步"), 16, _said("next_step", lambda row: row.next_step)),
    Column(_("由谁办"), 10, _said("actor", lambda row: row.next_by)),
    Column(_("最迟日期"), 12, lambda row: row.next_on, "day"),
    Column(_("办结日期"), 12, lambda row: row.closed_on, "day"),
)
FOLLOW_UPS = (
    Column(_("需求编号"), 20, lambda row: row.number),
    Column(_("企业名称"), 32, lambda row: row.firm_name),
    Column(_("统一社会信用代码"), 21, lambda row: row.uscc),
    Column(_("区县"), 11, lambda row: words.district(row.district)),
    Column(_("信灯"), 8, _said("light", lambda row: row.light)),
    Column(_("申请金额（元）"), 16, lambda row: row.amount_fen, "money"),
    Column(_("办法"), 40, lambda row: row.measure),
    Column(_("责任单位"), 20, lambda row: row.office),
    Column(_("由谁办"), 10, _said("actor", lambda row: row.owner)),
    Column(_("经办人"), 12, lambda row: row.owner_name),
    Column(_("开始日期"), 12, lambda row: row.opened_on, "day"),
    Column(_("下次日期"), 12, lambda row: row.next_on, "day"),
)
EVENTS = (
    Column(_("需求编号"), 20, lambda row: row.demand_number),
    Column(_("事项"), 10, _said("figure_kind", lambda row: row.kind)),
    Column(_("冲销"), 7, _flag(lambda row: row.sign < 0)),
    Column(_("发生日"), 12, lambda row: row.on, "day"),
    Column(_("报送日"), 12, lambda row: row.recorded_on, "day"),
    Column(_("区县"), 11, lambda row: words.district(row.district)),
    Column(_("银行"), 20, lambda row: row.bank_name),
    Column(_("金额（元）"), 16, lambda row: row.sign * row.amount_fen, "money"),
    Column(_("年利率"), 10, lambda row: row.rate, "share"),
    Column(_("贷款方式"), 11, _said("loan_type", lambda row: row.loan_type)),
    Column(_("首贷"), 8, _flag(lambda row: row.is_first_loan)),
    Column(_("无还本续贷"), 11, _flag(lambda row: row.is_renewal_without_repayment)),
    Column(_("新户"), 8, _flag(lambda row: row.is_new_household)),
)
TRAIL = (
    Column(_("编号"), 11, lambda row: row.id, "whole"),
    Column(_("时间"), 20, lambda row: formats.moment(row.at)),
    Column(_("谁"), 16, TrailPage.actor),
    Column(_("姓名"), 12, lambda row: row.person_name),
    Column(_("做了什么"), 18, _said("verb", lambda row: row.verb)),
    Column(_("对什么"), 14, _said("noun", lambda row: row.noun)),
    Column(_("对象编号"), 11, lambda row: row.noun_id, "whole"),
    Column(_("变化"), 22, TrailPage.change),
    Column(_("统一社会信用代码"), 21, lambda row: row.uscc),
    Column(_("银行"), 20, lambda row: row.bank_name),
    Column(_("留痕链"), 24, lambda row: row.chain),
    Column(_("哈希"), 66, lambda row: row.hash),
)


def asked(query: str) -> Request:
    """A page's query as the page itself would be asked."""
    return Request({"type": "http", "method": "GET", "query_string": query.encode(), "headers": []})


def _find_lines(tx: Session, who: Who, query: str, today: date) -> list[int]:
    request = asked(query)
    one = request.query_params.get("list", "")
    list_id = int(one) if one.isascii() and one.isdigit() and len(one) < 19 else None
    wanted = bank.wanted_of(request, Wish.of(request, bank.COLUMNS, usual="due_on"), list_id)
    return bank_desk.list_ids(tx, who, replace(wanted, limit=None, offset=0), today)


def _find_demands(tx: Session, who: Who, query: str, today: date) -> list[int]:
    return demand_search.list_ids(tx, who, demands.sought_of(asked(query), who), today)


def _find_follow_ups(tx: Session, who: Who, _query: str, _today: date) -> list[int]:
    return follow_ups.list_open_ids(tx, who)


def _find_events(tx: Session, who: Who, query: str, today: date) -> list[int]:
    return figure_grid.list_event_ids(tx, who, city.cut_of(asked(query), who, today))


def _find_trail(tx: Session, _who: Who, query: str, today: date) -> list[int]:
    return trail_search.list_ids(tx, operator_trail.sought_of(asked(query), tx, today))


def _kind(
    kind: ExportKind,
    columns: Sequence[Column],
    find: Callable[[Session, Who, str, date], list[int]],
    read: Callable[[Session, Who, Sequence[int]], Sequence[Any]],
) -> Kind:
    return Kind(find, read, partial(_write, kind, columns))


def _write(kind: ExportKind, columns: Sequence[Column], file: Path, batches: Batches, about: About) -> None:
    with speaking(about.language):
        name = words.of("export_kind", kind)
    export_book.write(file, name, columns, batches, about)


KINDS: Mapping[str, Kind] = {
    K.PUSH_LINES.value: _kind(K.PUSH_LINES, LINES, _find_lines, bank_desk.list_of_ids),
    K.DEMANDS.value: _kind(K.DEMANDS, DEMANDS, _find_demands, lambda tx, _who, ids: demand_search.list_of_ids(tx, ids)),
    K.FOLLOW_UPS.value: _kind(
        K.FOLLOW_UPS, FOLLOW_UPS, _find_follow_ups, lambda tx, _who, ids: follow_ups.list_of_ids(tx, ids)
    ),
    K.EVENTS.value: _kind(K.EVENTS, EVENTS, _find_events, lambda tx, _who, ids: figure_grid.list_events_of(tx, ids)),
    K.TRAIL.value: _kind(K.TRAIL, TRAIL, _find_trail, lambda tx, _who, ids: trail_search.list_of_ids(tx, ids)),
}
"""What the worker makes and the pages ask for, by kind."""
