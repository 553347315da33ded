"""Why a demand went to these banks, as its firm reads it; the rule by which places are given; rounds by name."""

from typing import Any

from matching.policy import PolicyDay
from web.formats import money, percent
from web.language import gettext


def why_this_bank(line: Any) -> list[str]:
    """Sentences on one line (an `overview.list_lines` row): named or consented, its rate, its promise, the amount."""
    named = gettext("您点名了它，它的名额先给点名的企业。") if line.is_intended else gettext("您授权它查看这笔需求。")
    said = [named, gettext("您符合“%(product)s”的全部准入条件。") % {"product": line.product_name}]
    said.append(gettext("年利率 %(rate)s 起。") % {"rate": percent(line.rate_min)})
    if line.decide_days:
        said.append(gettext("承诺资料齐备后 %(n)s 个工作日内决定。") % {"n": line.decide_days})
    if line.amount_max_fen < line.amount_fen:
        said.append(gettext("这个产品最多 %(most)s，不足您申请的全部。") % {"most": money(line.amount_max_fen)})
    return said


def round_of(run: int) -> str:
    """A sharing out by its number of the day: the morning's is 0, the supplements count from 1."""
    return gettext("第 %(n)s 次补推") % {"n": run} if run else gettext("早晨")


def how_shared(policy: PolicyDay) -> str:
    """The rule of sharing out in words, with the weights in force."""
    weights = {name: percent(policy.number(f"weight_{name}"), 0) for name in ("rate", "speed", "cover")}
    return gettext(
        "名额先给点名的企业；其余按“银行接受的可能 × 对您的好处”分配，好处里利率占 %(rate)s、速度占 %(speed)s、"
        "额度占 %(cover)s。同一笔需求最多同时推给 %(n)s 家；拒绝过您的银行不再推送。"
    ) % {**weights, "n": int(policy.number("max_open_lines"))}
