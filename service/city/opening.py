"""The demo before its first day: banks and their products, people, the departments' history, the model."""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from sqlmodel import Session

from service.actions.admit_bank import BankForm, admit_bank
from service.actions.offer_product import ProductForm, offer_product
from service.actions.take_feed import SUMMARISED, Delivery, take_feed
from service.actions.train_model import train_model, use_model
from service.city.banks import BANKS, CityProduct, products
from service.city.cast import add_cast, bankers, officials
from service.city.city import City
from service.city.feeds import FeedFile
from service.clock import instant_on
from service.domain.consent import DataClass
from service.domain.errors import NotPossible
from service.domain.people import the_platform
from service.settings import Settings
from service.store.database import Database

WAN_FEN = 1_000_000
AT_ONCE = 2
CONSENT_WORDS = "本企业同意平台为撮合本次融资，向所列机构提供本企业的相关信用信息（模拟数据）。"
CONSENT_HASH = hashlib.sha256(CONSENT_WORDS.encode()).hexdigest()
DEMO = the_platform("demo")
ALL_CLASSES = tuple(one.value for one in DataClass)


def open_banks(tx: Session, city: City, roominess: int = 1) -> list[int]:
    """Every bank with its shelf, and the cast; the banks' keys in the order of BANKS.

    `roominess` multiplies places and quotas, for a day on which the whole city asks at once.
    """
    day = city.when.start - timedelta(days=1)
    now = instant_on(day)
    keys = [
        admit_bank(tx, DEMO, BankForm(bank.code, bank.name, bank.kind.value, day, bank.name_en), now) for bank in BANKS
    ]
    days = (city.when.end - city.when.start).days + 1
    for product in products(len(city.firms), days):
        offer_product(tx, DEMO, _form(product, city, roominess), day, now, bank_id=keys[product.bank])
    add_cast(tx, DEMO, [*bankers(keys[11], keys[0]), *officials()], day, now)
    return keys


def _form(product: CityProduct, city: City, roominess: int) -> ProductForm:
    return ProductForm(
        code=product.code,
        name=product.name,
        name_en=product.name_en,
        amount_min_fen=product.amount_wan[0] * WAN_FEN,
        amount_max_fen=product.amount_wan[1] * WAN_FEN,
        term_min_months=product.terms[0],
        term_max_months=product.terms[1],
        rate_min=product.rates[0],
        rate_max=product.rates[1],
        loan_types=product.loan_types,
        places_per_day=product.places_per_day * roominess,
        quota_fen=product.quota_fen * roominess,
        from_on=city.when.start - timedelta(days=1),
        criteria=product.criteria,
    )


def take_files(
    database: Database, settings: Settings, files: Iterable[FeedFile], told: Callable[[FeedFile], None]
) -> None:
    """Each file through the front door, in its own transaction."""
    intake = the_platform("intake")
    for file in files:
        with database.transaction(intake) as tx:
            delivery = Delivery(file.received_on, is_history=file.is_history)
            take_feed(tx, intake, file.path, delivery=delivery, mirror=settings.mirror)
        told(file)


def take_history(
    database: Database, settings: Settings, files: Sequence[FeedFile], told: Callable[[FeedFile], None]
) -> None:
    """The departments' history: first what firms are drawn from, then the others two at a time, the largest first."""
    first = [file for file in files if file.item in SUMMARISED]
    take_files(database, settings, first, told)
    rest = sorted((file for file in files if file.item not in SUMMARISED), key=lambda file: -file.rows)
    with ThreadPoolExecutor(AT_ONCE) as hands:
        for done in [hands.submit(take_files, database, settings, [file], told) for file in rest]:
            done.result()


def learn(database: Database, settings: Settings, city: City) -> str:
    """The model from what was known the day before the first live one; its version.

    A city too small to learn from gets none (''): its estimates are unknown then, and say so.
    """
    day = city.when.start - timedelta(days=1)
    try:
        model = train_model(settings, day, seed=city.seed)
    except NotPossible:
        return ""
    with database.transaction(DEMO) as tx:
        use_model(tx, DEMO, model, instant_on(day, 22))
    return model.version
