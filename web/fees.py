"""A bank's fee items on its offer form: a few numbered rows, each with its name, amount or rate, payee and time."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BeforeValidator, create_model

from service.domain.errors import NotPossible
from service.domain.fee import Fee, FeeDue, Payee
from web.forms import Ask, Filled, Form, money, percent, plain, wording
from web.language import lazy as _

ROWS = 4
PARTS = ("name", "worth", "payee", "due")
LABELS = {"name": _("费用名称"), "worth": _("金额或费率"), "payee": _("谁收取"), "due": _("什么时候付")}


def read_worth(typed: object) -> object:
    """'800' or '800元' is an amount in fen, '0.5%' a share of the loan."""
    if not isinstance(typed, str):
        return typed
    return (percent(places=4) if plain(typed).endswith("%") else money("yuan")).func(typed)  # type: ignore[call-arg]


def with_fees(form: type[Form]) -> type[Form]:
    """The form with so many empty fee rows; a row left empty is no fee."""
    kinds: dict[str, Any] = {
        "name": Annotated[str, wording(most=40), Ask(LABELS["name"])],
        "worth": Annotated[Any, BeforeValidator(read_worth), Ask(LABELS["worth"])],
        "payee": Annotated[Payee | None, Ask(LABELS["payee"])],
        "due": Annotated[FeeDue | None, Ask(LABELS["due"])],
    }
    usual: dict[str, Any] = {"name": "", "worth": None, "payee": None, "due": None}
    fields: dict[str, Any] = {
        f"fee{row}_{part}": (kinds[part], usual[part]) for row in range(1, ROWS + 1) for part in PARTS
    }
    return create_model(form.__name__, __base__=form, __module__=form.__module__, **fields)


def fees_of(answers: Form) -> tuple[Fee, ...]:
    """The rows that were filled in. Errors: NotPossible beside the part a row lacks."""
    return tuple(_fees(answers))


def _fees(answers: Form) -> Iterator[Fee]:
    for row in range(1, ROWS + 1):
        said = {part: getattr(answers, f"fee{row}_{part}", None) for part in PARTS}
        if not any(said.values()):
            continue
        for part, value in said.items():
            if not value:
                raise NotPossible("第 {row} 项费用没有填完：名称、金额或费率、谁收取、什么时候付都要填。",
                                  field=f"fee{row}_{part}", row=row)  # fmt: skip
        worth = said["worth"]
        amount, rate = (None, worth) if isinstance(worth, Decimal) else (worth, None)
        yield Fee(said["name"] or "", str(said["payee"]), str(said["due"]), amount, rate)


def filled_rows(form: Filled[Any]) -> int:
    """How many rows to show open: those something stands in, at least one."""
    used = [row for row in range(1, ROWS + 1) if any(form.said(f"fee{row}_{part}") for part in PARTS)]
    return max(used, default=1)
