"""What a person agrees to as they register, word for word, and the hash that proves which words they read."""

import hashlib
from dataclasses import dataclass

from web.language import lazy as _


@dataclass(frozen=True)
class Agreed:
    """Paragraphs to be read, and their hash."""

    paragraphs: tuple[str, ...]

    @property
    def text_hash(self) -> str:
        return hashlib.sha256("\n".join(self.paragraphs).encode()).hexdigest()


def of_check(provider: str) -> Agreed:
    """A consent of its own: an identity number is sensitive (Personal Information Protection Law, articles 23, 29)."""
    says = (
        _(
            "为确认是您本人在为企业办事，平台把您的姓名、身份证号、手机号和企业名称、统一社会信用代码提供给%(provider)s核验，只用于这一次核验。"
        ),
        _(
            "平台不保存身份证号，只保存核验结果、号码后四位和一段无法还原号码的校验值。不同意就不能在网上登记，可以到办事大厅办理。"
        ),
    )
    return Agreed(tuple(str(one.with_(provider=provider)) for one in says))


def of_terms(site: str, city: str) -> Agreed:
    """The terms of use: what the platform does, does not do, and what a person promises."""
    says = (
        _("%(site)s是%(city)s的公共融资服务平台，向企业和银行都不收费。是否放贷、利率多少，由银行决定。"),
        _("您保证登记内容真实，并有权代表本企业办理；不出借账号，人员变动时及时停用。"),
        _("登记只建立账号。汇集企业数据、把资料给任何一家银行，都要另外逐项授权，可以随时撤回。"),
        _("谁在什么时候看过、办过什么，都有留痕，企业可以查看和带走自己的资料。"),
    )
    return Agreed(tuple(str(one.with_(site=site, city=city)) for one in says))
