"""The words of a consent as the person reads them, and the hash that proves which words were read."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Row

from service.actions.give_consent import ConsentForm, hash_of
from service.domain.consent import DataClass, Purpose
from web.formats import day
from web.language import gettext

LASTS = timedelta(days=180)
"""A consent names its end; half a year covers a demand and its decision."""
CLASSES = (DataClass.PUBLIC.value, DataClass.SHARED.value, DataClass.AUTHORISED.value)


@dataclass(frozen=True)
class ConsentText:
    """One consent to be ticked: the recipient (no bank means the platform), the words, their hash."""

    bank_id: int | None
    recipient: str
    words: str
    until_on: date

    @property
    def text_hash(self) -> str:
        return hash_of(self.words)

    def form(self, uscc: str) -> ConsentForm:
        """The consent as the action takes it."""
        purpose = Purpose.PROFILE if self.bank_id is None else Purpose.CREDIT_REVIEW
        return ConsentForm(uscc, self.bank_id, purpose.value, CLASSES, self.text_hash, self.until_on, self.words)


@dataclass(frozen=True)
class ContactText:
    """The consent to be called, as whoever scanned a code reads it, and the hash of these words."""

    words: str

    @property
    def text_hash(self) -> str:
        return hash_of(self.words)


def for_contact(bank: str | None, days: int) -> ContactText:
    """Consent to be called by the district's team, and by the bank whose code it is; kept for so many days."""
    callers = gettext("企业所在区县的融资服务专班")
    if bank is not None:
        callers = gettext("%(team)s和%(bank)s") % {"team": callers, "bank": bank}
    words = gettext(
        "我同意平台把以上内容交给%(callers)s，由其就这笔融资意向与我联系、帮助申报，不作其他用途。"
        "姓名、手机号和企业名称 %(days)s 天后删除；提交后可在回执页面随时撤回，撤回后立即删除。"
    ) % {"callers": callers, "days": days}
    return ContactText(words)


def for_platform(firm: str, today: date) -> ConsentText:
    """Consent to build the profile and the estimate."""
    until = today + LASTS
    words = gettext(
        "%(firm)s同意平台汇集政府部门共享的登记、纳税、社保、公积金、水电气、司法、处罚等数据，用于生成企业画像和违约风险评估，"
        "并据此为本企业的融资需求评判信灯。授权至 %(until)s，可随时撤回；撤回后平台停止使用，已有需求随之结束。"
    ) % {"firm": firm, "until": day(until)}
    return ConsentText(None, gettext("信灯平台"), words, until)


def for_bank(firm: str, bank_id: int, bank: str, today: date) -> ConsentText:
    """Separate consent to one named bank (Personal Information Protection Law, article 23)."""
    until = today + LASTS
    words = gettext(
        "%(firm)s同意平台把本企业的画像、风险评估和这笔融资需求提供给%(bank)s，仅供该行审查本企业的贷款。"
        "授权至 %(until)s，可随时撤回；撤回后该行不能再查看，也不会再收到推送。"
    ) % {"firm": firm, "bank": bank, "until": day(until)}
    return ConsentText(bank_id, bank, words, until)


def said_again(consent: Row[Any], firm: str) -> str:
    """The words of a consent whose hash alone was kept, where today's text still gives that very hash; else ''."""
    made = (
        for_platform(firm, consent.from_on)
        if consent.bank_id is None
        else for_bank(firm, consent.bank_id, consent.bank_name, consent.from_on)
    )
    return made.words if made.text_hash == consent.text_hash else ""
