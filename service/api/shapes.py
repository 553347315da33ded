"""What goes over the wire: money as yuan strings, rates as decimal strings, dates as ISO; and back again, exactly."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PlainSerializer

from service.domain.fee import MOST_FEES, FeeDue, Payee
from service.domain.standards.money import to_fen, to_yuan

MOST_IN_A_BATCH = 2_000


def _fen(text: str) -> str:
    to_fen(text)
    return text


Yuan = Annotated[str, Field(pattern=r"^\d{1,14}(\.\d{1,2})?$", examples=["500000.00"]), AfterValidator(_fen)]
Rate = Annotated[Decimal, Field(ge=0, lt=1, decimal_places=7, examples=["0.0343"]), PlainSerializer(str)]


class Shape(BaseModel):
    """Base of every body: frozen, unknown fields refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class FeeIn(Shape):
    """One fee: an amount, or a rate of the loan's amount, each time it is due."""

    name: str = Field(min_length=1, max_length=40, examples=["担保费"])
    payee: Payee
    due: FeeDue
    amount_yuan: Yuan | None = None
    rate: Rate | None = None


class OfferIn(Shape):
    """Fees item by item in `fees`; `fees_yuan` is their sum where a bank cannot tell them apart, and never both."""

    amount_yuan: Yuan
    rate: Rate
    term_months: int = Field(ge=1, le=360)
    loan_type: str
    fees_yuan: Yuan = "0"
    fees: tuple[FeeIn, ...] = Field(default=(), max_length=MOST_FEES)
    repayment: str = "monthly_interest"
    valid_until_on: date | None = None


class AnswerIn(Shape):
    line_id: int
    kind: str
    reasons: tuple[str, ...] = ()
    text: str = Field(default="", max_length=500)
    papers: tuple[str, ...] = ()
    offer: OfferIn | None = None
    corrects_id: int | None = None


class AnswersIn(Shape):
    answers: tuple[AnswerIn, ...] = Field(min_length=1, max_length=MOST_IN_A_BATCH)


class GrantIn(Shape):
    line_id: int
    amount_yuan: Yuan
    rate: Rate
    term_months: int = Field(ge=1, le=360)
    loan_type: str
    granted_on: date
    is_first_loan: bool | None = None
    is_renewal: bool = False
    is_renewal_without_repayment: bool = False
    corrects_id: int | None = None


class GrantsIn(Shape):
    grants: tuple[GrantIn, ...] = Field(min_length=1, max_length=MOST_IN_A_BATCH)


class DrawdownIn(Shape):
    grant_id: int
    loan_number: str = Field(min_length=1, max_length=64)
    amount_yuan: Yuan
    rate: Rate
    drawn_on: date
    matures_on: date
    corrects_id: int | None = None


class DrawdownsIn(Shape):
    drawdowns: tuple[DrawdownIn, ...] = Field(min_length=1, max_length=MOST_IN_A_BATCH)


class ConsentIn(Shape):
    bank_id: int | None = None
    data_classes: tuple[str, ...]
    text_hash: str
    words: str = Field(default="", max_length=4_000)
    """The words that were shown, whose SHA-256 is `text_hash`: kept, so that the firm reads them again."""
    until_on: date


class DemandIn(Shape):
    amount_yuan: Yuan
    term_months: int
    use: str
    use_text: str = Field(default="", max_length=500)
    rate_ceiling: Rate | None = None
    guarantees: tuple[str, ...] = ()
    intended: tuple[int, ...] = ()
    reserve: tuple[int, ...] = ()
    consents: tuple[ConsentIn, ...] = ()


def plain(value: Any) -> Any:
    """A database value as JSON takes it; columns ending in _fen become yuan strings under their own name."""
    if isinstance(value, Decimal):
        return str(value)
    return value.isoformat() if hasattr(value, "isoformat") else value


def row_out(row: Any, *names: str) -> dict[str, Any]:
    """Some columns of a row for the wire: `amount_fen` becomes `amount_yuan`."""
    shape: dict[str, Any] = {}
    for name in names:
        value = getattr(row, name)
        if name.endswith("_fen"):
            shape[name.removesuffix("_fen") + "_yuan"] = None if value is None else to_yuan(value)
        else:
            shape[name] = plain(value)
    return shape
