"""What a rehearsal found, in words and figures: how they are to be read, each cell before and after, what changes."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from matching.policy import Policy
from service.actions.rehearsed_day import NUMBERS
from service.domain.rehearsed_outcome import LEAST_FIRMS, REST
from web import formats
from web.language import SOURCE, gettext, spoken
from web.language import lazy as _
from web.match_words import round_of

SIDES = {"old": _("当时"), "new": _("新口径"), "change": _("变化")}


@dataclass(frozen=True)
class Figure:
    """One side of a cell: grants, money, rate, each as mean and interval."""

    side: str
    grants: str
    amount: str
    rate: str


@dataclass(frozen=True)
class Shown:
    """A district, an industry, or all, in words; without a change where no figure moves."""

    name: str
    firms: int
    demands: int
    turned: int
    figures: Sequence[Figure]
    is_same: bool


@dataclass(frozen=True)
class ListChange:
    """A bank's lines over all days, or one list: before, after; how many of the bank's lists grew and shrank."""

    name: str
    before: int
    after: int
    grew: int = 0
    shrank: int = 0

    @property
    def change(self) -> str:
        """With its sign."""
        return _signed(self.after - self.before, "0")


def how_to_read(policy: Policy) -> list[str]:
    """What the figures are made of, what they leave out, and what is not rehearsed at all."""
    left = [one.name for key, one in policy.numbers.items() if key not in NUMBERS]
    names = gettext("、").join(name.zh if spoken() == SOURCE else name.en for name in left)
    return [
        gettext("开环：每天只用当天存下的输入，不把新口径的后果带到第二天。"),
        gettext("预计授信用当天存下的各银行接受倾向；新进入清单的需求，取同一产品当天的平均。利率按产品的最低年利率。"),
        gettext("预计授信按银行报价且最终授信的可能算；两者分开之前存下的日子只有报价的可能，数额偏高，看变化更可靠。"),
        gettext("括号里是 95% 区间，只含银行答复的偶然性，不含接受倾向本身估得准不准。"),
        gettext("不预演：各段时限、复核方式（新符合条件的需求视为复核通过），以及这些政策数字：%(names)s。")
        % {"names": names},
        gettext("不足 %(n)s 户的区县和行业合并显示，合并后仍不足的不显示。") % {"n": LEAST_FIRMS},
    ]


def shown(cell: Mapping[str, Any], name_of: Callable[[str], str]) -> Shown:
    """One cell of a rehearsal's document."""
    name = gettext("其他（户数少，合并）") if cell["key"] == REST else name_of(cell["key"]) or gettext("未登记")
    is_same = not any(cell["change"]["grants"]) and not any(cell["change"]["amount_fen"])
    sides = [side for side in SIDES if not (is_same and side == "change")]
    figures = [_figure(str(SIDES[side]), cell[side], is_change=side == "change") for side in sides]
    return Shown(name, cell["firms"], cell["demands"], cell["turned"], figures, is_same)


def changed_lists(found: Mapping[str, Any], names: Mapping[int, str]) -> list[ListChange]:
    """Banks some list of which grows or shrinks, those that change most first."""
    rows = [ListChange(names.get(bank, str(bank)), *rest) for bank, *rest in found["banks"]]
    changed = [row for row in rows if row.grew or row.shrank]
    return sorted(changed, key=lambda row: (-abs(row.after - row.before), row.name))


def most_changed(found: Mapping[str, Any], names: Mapping[int, str], limit: int) -> list[ListChange]:
    """The lists that change most, each by day, round and bank."""
    said = gettext("%(day)s %(run)s，%(bank)s")
    return [
        ListChange(
            said % {"day": formats.day(date.fromisoformat(day)), "run": round_of(run), "bank": names.get(bank, bank)},
            before,
            after,
        )
        for day, run, bank, before, after in found["most"][:limit]
    ]


def _figure(label: str, told: Mapping[str, Any], *, is_change: bool) -> Figure:
    grants = [Decimal(str(one)) for one in told["grants"]]
    amounts = [Decimal(fen) / formats.WAN for fen in told["amount_fen"]]
    rates = [Decimal(share) * 100 for share in told["rate"] or ()]
    if is_change:
        points = gettext("%(points)s 个百分点")
        rate = points % {"points": _between([_signed(one, "0.01") for one in rates])} if rates else formats.NOTHING
        return Figure(
            label,
            _between([_signed(one, "0.1") for one in grants]),
            _between([_signed(one, "0") for one in amounts]),
            rate,
        )
    return Figure(
        label,
        _between([f"{one:,.1f}" for one in grants]),
        _between([f"{one:,.0f}" for one in amounts]),
        _between([f"{one:.2f}%" for one in rates]) if rates else formats.NOTHING,
    )


def _signed(value: Decimal | int, step: str) -> str:
    """+1.5, −1.5, and a plain 0.0 for what rounds to nothing."""
    rounded = Decimal(value).quantize(Decimal(step))
    if not rounded:
        return f"{abs(rounded)}"
    return f"{'+' if rounded > 0 else '−'}{abs(rounded):,}"


def _between(told: Sequence[str]) -> str:
    mean, low, high = told
    return gettext("%(mean)s（%(low)s 到 %(high)s）") % {"mean": mean, "low": low, "high": high}
