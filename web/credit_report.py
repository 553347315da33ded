"""The credit report of a push line on paper: what the line's page says, the records behind it, and what it is worth."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import orjson
from markupsafe import Markup
from sqlalchemy import Row

from service.actions.issue_report import Mark
from service.domain.issued_report import Drawn
from service.profiles.profile import Fact, Profile
from web import documents, formats, record_words
from web.explained import Explained
from web.language import gettext
from web.record_file import Contested, about

MOST_RECORDS = 120


@dataclass(frozen=True)
class RecordSaid:
    """One record in words."""

    happened_on: date
    known_on: date
    content: str
    is_contested: bool
    """Whether the firm objects to it and nobody has decided yet."""


@dataclass(frozen=True)
class SourceSaid:
    """What one source says of the firm: its name, the department, how far it speaks, the records."""

    name: str
    department: str
    freshness: str
    known_on: date | None
    records: Sequence[RecordSaid]


@dataclass(frozen=True)
class Recorded:
    """The records a consent lets the bank see, the latest ones where there are too many for one paper."""

    sources: Sequence[SourceSaid]
    silent: Sequence[str]
    """Sources that have nothing of the firm."""
    total: int
    ids: Sequence[int]
    contested: Contested = frozenset()

    @property
    def shown(self) -> int:
        return len(self.ids)


@dataclass(frozen=True)
class Reported:
    """What the report says, whoever prints it and whenever."""

    line: Row[Any]
    consent: Row[Any]
    explained: Explained
    recorded: Recorded
    light_mark: str

    @property
    def state_hash(self) -> str:
        """Changes whenever a reader would learn something else."""
        line, verdict = self.line, self.explained.verdict
        judged = None if verdict is None else [verdict.id, verdict.content_hash, verdict.model_version]
        asked = [line.amount_fen, line.term_months, line.use, line.use_text, line.rate_ceiling, line.guarantees]
        firm = [line.firm_name, line.industry, line.size_class, line.district]
        consent = [self.consent.id, self.consent.until_on]
        said = [line.id, line.state, line.light, judged, asked, firm, consent, self.recorded.ids]
        said.append(sorted(self.recorded.contested))
        return hashlib.sha256(orjson.dumps(said, default=str)).hexdigest()


@dataclass(frozen=True)
class Furnished:
    """Who prints, where the public page stands, and whom to turn to."""

    bank: str
    person: str
    public_url: str
    contact: str


@dataclass(frozen=True)
class ReportPaper:
    """The report to print, with everything that makes it one paper."""

    title: str
    watermark: str
    shown: Reported
    mark: Mark
    by: Furnished
    address: str
    code: Markup


def draw(shown: Reported, by: Furnished, mark: Mark) -> Drawn:
    """The report as one numbered paper. Errors: Unavailable."""
    address = f"{by.public_url.rstrip('/')}/verify/{mark.token}"
    watermark = f"{by.bank}\n{by.person} · {formats.moment(mark.issued_at)}"
    paper = ReportPaper(gettext("企业信用报告"), watermark, shown, mark, by, address, documents.qr_svg(address))
    return documents.draw("documents/credit_report.html", paper)


def recorded(
    profile: Profile, data_classes: Iterable[str], contested: Contested = frozenset(), most: int = MOST_RECORDS
) -> Recorded:
    """The records of a profile that stand in these classes of data, source by source, contested ones marked."""
    allowed = frozenset(data_classes)
    open_to = [section for section in profile.sections if section.item.disclosure in allowed]
    held = [section for section in open_to if section.facts]
    every = [fact for section in held for fact in section.facts]
    latest = sorted(every, key=lambda fact: (fact.record.happened_on, fact.record.id or 0), reverse=True)[:most]
    ids = {fact.record.id or 0 for fact in latest}
    sources = [
        SourceSaid(
            record_words.named(section.item),
            record_words.department(section.item),
            section.freshness.value,
            section.known_on,
            [_said(fact, contested) for fact in section.facts if fact.record.id in ids],
        )
        for section in held
    ]
    silent = [record_words.named(section.item) for section in open_to if not section.facts]
    return Recorded([one for one in sources if one.records], silent, len(every), sorted(ids), contested)


def _said(fact: Fact, contested: Contested) -> RecordSaid:
    stop = gettext("；")
    content = stop.join(
        f"{record_words.named(field)} {record_words.said(field, value)}"
        for field, value in fact.values
        if field.role != "happened_on"
    )
    return RecordSaid(fact.record.happened_on, fact.record.known_on, content, about(fact) in contested)
