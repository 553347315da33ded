"""What a product's terms would change before they are saved: how many of today's open demands they let in."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np
from sqlalchemy import Row
from sqlmodel import Session

from matching.fit_many import fit_many
from matching.judge_many import columns_from_json
from service.actions.offer_product import ProductForm, checked
from service.domain.errors import NotAllowed
from service.domain.people import Role, Who
from service.store import offers_of_banks, verdicts

STEP = 5
"""Counts are said in whole steps of this, and below one as 'fewer': no single firm shows, and no two tries find one."""


@dataclass(frozen=True)
class Preview:
    """Open demands of the whole city, each count a multiple of STEP; 0 stands for fewer than STEP."""

    open: int
    fitting: int
    joining: int
    """Fit these terms and not the product as it is."""
    leaving: int
    """Fit the product as it is and not these terms."""


def preview_product(tx: Session, who: Who, form: ProductForm, old: Row[Any] | None, today: date) -> Preview:
    """Count today's open demands by `matching.fit_many` on the facts of their last verdicts.

    `tx` sees the whole city, only counts leave it. `old`: the bank's product as it is. Nothing is written.
    Errors: NotAllowed for anyone but a bank's admin, NotPossible for terms that could not be saved.
    """
    if who.role is not Role.BANK_ADMIN:
        raise NotAllowed("只有本行管理员可以维护产品。")
    offers = [checked(form, today)]
    if old is not None:
        offers.append(offers_of_banks.product_of(old))
    facts = verdicts.list_open_facts(tx)
    fits = np.zeros((2, len(facts)), bool)
    if facts:
        pairs = fit_many(columns_from_json(facts), [replace(one, quota_left_fen=None) for one in offers], today)
        fits[pairs.products, pairs.demands()] = True
    new, before = fits
    return Preview(*_steps([len(facts), new.sum(), (new & ~before).sum(), (before & ~new).sum()]))


def _steps(counts: Sequence[int]) -> list[int]:
    return [int(count) // STEP * STEP for count in counts]
