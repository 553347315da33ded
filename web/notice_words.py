"""What a message says, in one sentence with the bank, the amount and the day; made when it is shown or sent."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Row

from service.domain.objection import OBJECTION_UPHELD
from service.domain.people import Role, Who
from web import words
from web.fact_words import source_name
from web.formats import count, day, money, percent
from web.language import Phrase, gettext
from web.language import lazy as _

TO_FIRM: Mapping[str, Phrase] = {
    "demand_reported": _("%(demand)s 已收到，申请 %(asked)s。"),
    "demand_withdrawn": _("%(demand)s 已撤回，不再推送。"),
    "demand_expires": _("%(demand)s 将在 %(on)s 到期；仍需融资，请在这之前确认。"),
    "demand_expired": _("%(demand)s 已过期，可以一步重新申报。"),
    "demand_pushed": _("%(demand)s（%(asked)s）已推送给%(banks)s，银行须在时限内联系您。"),
    "demand_reviewed": _("%(demand)s 的人工复核有了结果：%(decision)s。"),
    "person_joined": _("%(person)s已实名登记为本企业用户。如果您不认识，请马上联系平台。"),
    "person_asks": _("%(person)s说受本企业委托办事，等您确认。"),
    "password_reset": _("%(person)s凭短信验证码重设了登录密码。如果不是本人操作，请马上联系平台。"),
    "consent_proposed": _("%(banks)s有适合%(demand)s 的产品，等您授权；没有授权不会推送。"),
    "no_bank_left": _("%(demand)s 暂无可推送的银行，%(next)s再看一次。"),
    "chance_too_low": _("其余银行接受%(demand)s 的可能太小，暂不推送，%(next)s再看一次。"),
    "due_soon": _("%(demand)s：%(step)s最迟 %(due)s（%(banks)s）。"),
    "offer_lapsed": _("%(banks)s对%(demand)s 的报价已过有效期。"),
    "light_changed": _("%(demand)s 的信灯由%(old)s变为%(new)s。"),
    "light_overridden": _("%(demand)s 的信灯经人工改判为%(light)s。"),
    "papers_overdue": _("%(banks)s要的资料没有在时限内补齐，银行的决定时限继续走（%(demand)s）。"),
    "line_contacted": _("%(banks)s说已就%(demand)s 联系您；如果没有，请在需求页告诉我们。"),
    "line_needs_papers": _("%(banks)s需要补充资料：%(papers)s（%(demand)s）。"),
    "line_extension": _("%(banks)s申请延期办理%(demand)s。"),
    "line_offered": _("%(banks)s对%(demand)s 报价 %(amount)s，年利率 %(rate)s。"),
    "line_granted": _("%(banks)s已授信 %(amount)s，年利率 %(rate)s（%(demand)s）。"),
    "line_corrected": _("%(banks)s更正了授信：%(amount)s，年利率 %(rate)s（%(demand)s）。"),
    "line_drawn": _("%(banks)s已放款 %(amount)s（%(demand)s）。"),
    "line_refused": _("%(banks)s没有通过%(demand)s%(reasons)s。"),
    "line_silent": _("%(banks)s逾期没有反馈，记为沉默，%(demand)s 当天重新匹配。"),
    "line_recalled": _(
        "推给%(banks)s的清单有误，平台已召回，与您无关，%(demand)s 不受影响；正在重新找银行，不用您办什么。"
    ),
    "objection_upheld": _("对“%(item)s”记录的异议成立：这条记录已撤下，不再计入评估。"),
    "objection_refused": _("对“%(item)s”记录的异议没有成立，请看理由和还可以找谁。"),
}
LIGHT_BY_OBJECTION = _("异议成立，记录撤下后重新评判：%(demand)s 的信灯由%(old)s变为%(new)s。")
FIRST_LIGHT = _("%(demand)s 的信灯是%(new)s。")
TO_BANK: Mapping[str, Phrase] = {
    "list_published": _("%(on)s 的清单已发布，共 %(lines)s 项。"),
    "list_recalled": _(
        "%(on)s 第 %(number)s 份清单已召回：%(why)s。"
        "还没反馈的 %(lines)s 项不用办，不计入贵行；其余 %(stands)s 项照旧。"
    ),
    "due_soon": _("%(firm)s（%(demand)s）：%(step)s最迟 %(due)s。"),
    "papers_given": _("%(firm)s已补齐资料，请继续办理%(demand)s。"),
    "papers_overdue": _("%(firm)s没有在时限内补齐资料，贵行的决定时限继续走（%(demand)s）。"),
    "contact_disputed": _("%(firm)s说没有银行联系过它（%(demand)s），请尽快联系并再次反馈。"),
    "consent_withdrawn": _("一家企业撤回了授权，贵行 %(lines)s 个推送项不再办理。"),
    "offer_accepted": _("%(firm)s接受了贵行的报价，请办理授信（%(demand)s）。"),
    "line_accepted": _("%(firm)s接受了贵行的报价，请办理授信（%(demand)s）。"),
    "line_silent": _("%(firm)s（%(demand)s）逾期没有反馈，记为沉默。"),
    "export_done": _("导出已完成：%(export)s，共 %(lines)s 行，%(on)s前由导出人下载。"),
    "stand_in_named": _("%(absent)s 的推送项由 %(deputy)s 代办，%(from)s至%(until)s。"),
    "line_withdrawn": _("%(firm)s撤回了%(demand)s，此项不再办理。"),
    "line_passed_over": _("%(firm)s选择了其他银行，此项不再办理（%(demand)s）。"),
    "urging_sent": _("市级督办：%(ground)s，涉及 %(lines)s 项，请在 %(due)s 前回复。"),
    "urging_closed": _("市级已办结督办（%(ground)s）。"),
    "urging_escalated": _("市级已将督办升级处理（%(ground)s）。"),
    "urging_withdrawn": _("市级撤回了督办（%(ground)s），不必再回复。"),
}
TO_OFFICIAL: Mapping[str, Phrase] = {
    "review_opened": _("%(firm)s的%(demand)s（%(asked)s）等待复核。"),
    "person_asks": _("有人申请为%(firm)s办事，请核对授权。"),
    "contact_disputed": _("%(firm)s说%(banks)s没有联系过它（%(demand)s）。"),
    "objection_raised": _("%(firm)s对一条“%(item)s”记录提出异议，最迟 %(due)s 答复。"),
    "export_done": _("导出已完成：%(export)s，共 %(lines)s 行，%(on)s前由导出人下载。"),
}
CODED = {
    "step": "due_step", "decision": "review_decision", "old": "light", "new": "light", "light": "light",
    "ground": "urging_ground", "export": "export_kind",
}  # fmt: skip
"""A told value → the group its word stands in."""


@dataclass(frozen=True)
class NoticeSaid:
    """One message as it is read; `address` leads to what it is about ('' for nothing)."""

    sentence: str
    address: str
    made_at: datetime
    is_new: bool


def said(who: Who, notice: Row[Any]) -> NoticeSaid:
    """A message (`store.notices.list_to` row) in the words for its reader."""
    return NoticeSaid(sentence(who, notice), _address(who, notice), notice.made_at, notice.read_at is None)


def sentence(who: Who, notice: Row[Any]) -> str:
    """The sentence alone; the kind's own word where no sentence is needed."""
    says = TO_FIRM if who.uscc else TO_BANK if who.bank_id else TO_OFFICIAL
    phrase = says.get(notice.kind)
    if notice.kind == "light_changed" and notice.told.get("old") is None:
        phrase = FIRST_LIGHT
    elif notice.kind == "light_changed" and notice.told.get("reason") == OBJECTION_UPHELD:
        phrase = LIGHT_BY_OBJECTION
    return str(phrase.with_(**_values(notice))) if phrase is not None else words.of("notice", notice.kind)


def _values(notice: Row[Any]) -> dict[str, str]:
    told = notice.told
    number = notice.demand_number
    values = {
        "demand": gettext("需求 %(number)s") % {"number": number} if number else gettext("一笔需求"),
        "asked": money(notice.asked_fen),
        "firm": notice.firm_name or told.get("firm") or gettext("企业"),
        "person": told.get("name", ""),
        "banks": gettext("、").join(notice.banks) or gettext("银行"),
        "amount": money(told.get("amount_fen")),
        "rate": percent(Decimal(told["rate"]) if "rate" in told else None),
        "on": _day(told.get("on")),
        "due": _day(told.get("due_on")),
        "next": _day(told.get("next_on")),
        "absent": told.get("absent", ""),
        "deputy": told.get("deputy", ""),
        "from": _day(told.get("from")),
        "until": _day(told.get("until")),
        "lines": count(told.get("lines")),
        "stands": count(told.get("stands")),
        "number": str(told.get("number", "")),
        "why": str(told.get("reason", "")).rstrip("。"),
        "papers": gettext("、").join(told.get("papers", ())),
        "item": source_name(told["item"]) if "item" in told else "",
    }
    reasons = gettext("、").join(words.of("refusal_reason", reason) for reason in told.get("reasons", ()))
    values["reasons"] = gettext("，原因：%(reasons)s") % {"reasons": reasons} if reasons else ""
    return values | {name: words.of(group, told[name]) if told.get(name) else "" for name, group in CODED.items()}


def _day(written: str | None) -> str:
    return day(date.fromisoformat(written) if written else None)


def _address(who: Who, notice: Row[Any]) -> str:
    if objection_id := notice.told.get("objection_id"):
        return f"/firm/objections/{objection_id}" if who.role is Role.FIRM else f"/objections/{objection_id}"
    if notice.kind == "person_asks":
        return "/firm/people" if who.role is Role.FIRM else "/registrations"
    if who.role is Role.FIRM:
        return f"/firm/demands/{notice.demand_id}" if notice.demand_id else ""
    if notice.kind == "export_done":
        return "/exports"
    if who.is_bank:
        return _address_for_bank(notice)
    return f"/demands/{notice.demand_id}" if notice.demand_id else ""


def _address_for_bank(notice: Row[Any]) -> str:
    if notice.kind == "stand_in_named":
        return "/bank/stand-ins"
    if "urging_id" in notice.told:
        return f"/bank/urgings/{notice.told['urging_id']}"
    list_id = notice.told.get("list_id")
    return f"/push-lines/{notice.line_id}" if notice.line_id else f"/push-lists/{list_id}" if list_id else ""
