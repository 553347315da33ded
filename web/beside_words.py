"""A bank's own figures beside the middle of all banks: what its page says of each."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from service.store.pace import Median, Pace
from service.store.statistics import Figures
from web import formats
from web.figure_words import definitions
from web.language import Phrase, gettext
from web.language import lazy as _
from web.league import MEANINGS

Value = float | Decimal | None
NOBODY = Median(None, 0)
GRANTED = _("已授信的推送项 ÷ 这段时间收到的推送项。新近的推送项还在办理，会拉低这个比例。")


@dataclass(frozen=True)
class Beside:
    """One figure: the bank's, the middle of the banks (empty where fewer than three have it), and of how many."""

    label: str
    own: str
    middle: str
    banks: int
    meaning: str


def beside_the_city(own: Pace, sums: Figures, medians: Mapping[str, Median]) -> Sequence[Beside]:
    """The five figures a bank is asked about."""
    rate = str(definitions()["average_rate"])
    rows: Sequence[tuple[str, Phrase, Value, Callable[[Value], str], object]] = (
        ("in_time", _("按时联系"), own.share_in_time, _share, MEANINGS["in_time"]),
        ("granted", _("授信比例"), own.share_granted, _share, GRANTED),
        ("rate", _("平均年利率"), sums.average_rate, _rate, rate),
        ("days_to_contact", _("首次联系"), own.days_to_contact, _days, MEANINGS["days_to_contact"]),
        ("days_to_decision", _("作出决定"), own.days_to_decision, _days, MEANINGS["days_to_decision"]),
    )
    return [
        Beside(
            str(label),
            said(value),
            said(medians.get(key, NOBODY).middle),
            medians.get(key, NOBODY).banks,
            str(meaning),
        )
        for key, label, value, said, meaning in rows
    ]


def _share(value: Value) -> str:
    return formats.percent(value, 1) if value is not None else "—"


def _rate(value: Value) -> str:
    return formats.percent(value) if value is not None else "—"


def _days(value: Value) -> str:
    return gettext("%(n)s 天") % {"n": f"{value:.1f}"} if value is not None else "—"
