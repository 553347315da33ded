"""Messages that leave, in words: short enough for one SMS, nothing of the firm in them, and where to read the rest."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from service.domain.outgoing import (
    ADDRESS_CODE,
    CODE_MINUTES,
    DIGEST,
    PASSWORD_CODE,
    MessageChannel,
    MessageTopic,
    Told,
    Written,
)
from service.settings import Settings
from web import words
from web.language import SOURCE, Phrase, gettext, speaking, spoken
from web.language import lazy as _

MOST_CHARACTERS = {SOURCE: 70, "en": 160}
"""One SMS; beyond that each part is paid for, and arrives on its own."""
SAYS: Mapping[str, Phrase] = {
    "demand_pushed": _("您的融资需求已推送给银行"),
    "demand_reviewed": _("您的融资需求复核有了结果"),
    "light_changed": _("您的融资需求信灯有变化"),
    "light_overridden": _("您的融资需求信灯有变化"),
    "line_refused": _("有银行没有通过您的融资需求"),
    "line_offered": _("有银行对您的融资需求报价"),
    "line_granted": _("有银行登记了对您的授信"),
    "line_corrected": _("有银行更正了对您的授信"),
    "line_drawn": _("有银行登记了对您的放款"),
    "offer_lapsed": _("有一份银行报价过了有效期"),
    "line_needs_papers": _("有银行需要您补充资料"),
    "papers_overdue": _("银行要的资料已过补交时限"),
    "due_soon": _("您的融资需求有时限快到了"),
    "demand_expires": _("您的融资需求快到期，请确认"),
    "demand_expired": _("您的融资需求已过期"),
    "consent_proposed": _("有银行适合您，等您授权"),
    "objection_upheld": _("您的异议有了答复"),
    "objection_refused": _("您的异议有了答复"),
    "person_joined": _("有人登记为贵企业用户"),
    "person_asks": _("有人申请为贵企业办事，请确认"),
}
TOPICS: Mapping[str, tuple[Phrase, Phrase]] = {
    MessageTopic.DUTIES: (_("要您办的事"), _("补资料、时限快到、需求快到期")),
    MessageTopic.OFFERS: (_("报价和授信"), _("银行报价、授信、放款，报价过期")),
    MessageTopic.PROGRESS: (_("进展"), _("推送给银行、信灯变化、复核结果、银行未通过")),
    MessageTopic.DIGEST: (_("每日摘要"), _("工作日 8:30 一条，写明有几条新消息")),
}
"""Topic → its name and what falls under it."""


@dataclass(frozen=True)
class Choice:
    """A topic one can tick."""

    value: str
    label: str
    hint: str


def choices(topics: Sequence[MessageTopic]) -> list[Choice]:
    """The topics one is offered, in words."""
    return [Choice(one.value, str(TOPICS[one][0]), str(TOPICS[one][1])) for one in topics]


def compose(settings: Settings, told: Told) -> Written:
    """The message in its reader's language."""
    with speaking(told.language):
        site = settings.site_name if spoken() == SOURCE else settings.site_name_en
        link = str(settings.public_url).rstrip("/") + told.path if told.path else ""
        sentence = _sentence(told)
        if told.channel is MessageChannel.SMS:
            return Written("", _short(site, sentence, link))
        return Written(f"{_signed(site)}{sentence}", _letter(sentence, told, link, site))


def _sentence(told: Told) -> str:
    if told.kind == ADDRESS_CODE:
        return gettext("验证码 %(code)s，%(minutes)s 分钟内有效，请勿告诉他人") % {
            "code": told.code,
            "minutes": CODE_MINUTES,
        }
    if told.kind == PASSWORD_CODE:
        return gettext("重设密码的验证码 %(code)s，%(minutes)s 分钟内有效，请勿告诉任何人") % {
            "code": told.code,
            "minutes": CODE_MINUTES,
        }
    if told.kind == DIGEST:
        return gettext("今早有 %(number)s 条新消息") % {"number": sum(told.counts.values())}
    return str(SAYS[told.kind])


def _signed(site: str) -> str:
    return f"【{site}】" if spoken() == SOURCE else f"[{site}] "


def _short(site: str, sentence: str, link: str) -> str:
    """With its link where both fit into one SMS."""
    said = _signed(site) + sentence + gettext("。")
    with_link = said + gettext("详见 ") + link
    return with_link if link and len(with_link) <= MOST_CHARACTERS[spoken()] else said.rstrip()


def _letter(sentence: str, told: Told, link: str, site: str) -> str:
    lines = [gettext("您好："), "", (sentence + gettext("。")).rstrip()]
    lines += [
        f"- {words.of('notice', kind)}: {number}"
        for kind, number in sorted(told.counts.items(), key=lambda one: (-one[1], one[0]))
    ]
    if link:
        lines += ["", gettext("登录后查看：%(link)s") % {"link": link}]
    lines += ["", gettext("您可以在平台的“短信和邮件”页选择收哪些消息。请不要回复这封邮件。"), site]
    return "\n".join(lines)
