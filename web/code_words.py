"""What is wrong with a unified social credit code as a person typed it, in words; what its first characters say."""

import unicodedata

from service.domain.standards import uscc as codes
from service.domain.standards.uscc import CodeState, Fault
from web.language import Phrase
from web.language import lazy as _

CHECK_FAILS = {
    "body": _("校验不符：第 9 到 17 位里有一位不对，请对照执照核对"),
    "outside": _("校验不符：前 8 位或最后一位里有一位不对，请对照执照核对"),
}
KIND_BY_HEAD = {"91": "enterprise", "92": "individual", "93": "cooperative", "N2": "village"}


def code_of(typed: str) -> str:
    """The code in what was typed: half-width, without spaces and hyphens, upper case."""
    return codes.clean("".join(unicodedata.normalize("NFKC", typed).replace("-", "").split()))


def phrase_of(fault: Fault) -> Phrase:
    """The sentence about a fault: which place, and what may be meant there."""
    if fault.kind == "length":
        return _("请填营业执照上的 18 位统一社会信用代码，现在有 %(now)s 位").with_(now=fault.last)
    if fault.kind != "character":
        return CHECK_FAILS[fault.kind]
    place = {"place": fault.first, "letter": fault.letter}
    if fault.likely:
        return _("第 %(place)s 位“%(letter)s”不会出现在这里，是不是“%(likely)s”？").with_(**place, likely=fault.likely)
    return _("第 %(place)s 位“%(letter)s”不会出现在这里，请对照执照核对").with_(**place)


def fault_of_code(code: str) -> str:
    """What is wrong with a clean code; '' for a valid one."""
    fault = codes.fault_of(code)
    return str(phrase_of(fault)) if fault else ""


def is_flagged(code: str) -> bool:
    """Whether the code has the right form and a wrong check: such codes are in use, and are let in with a flag."""
    return codes.state_of(code) is CodeState.WRONG_CHECK


def kind_of_code(code: str) -> str:
    """The kind of firm a code's first two characters say, or '' where they say none."""
    return KIND_BY_HEAD.get(code[:2], "")
