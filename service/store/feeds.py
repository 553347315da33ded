"""Feeds in PostgreSQL: what departments delivered, and how well, by department, item and month."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import text
from sqlmodel import Session, col, select

from service.domain.errors import NotFound
from service.domain.record import Feed, FeedState


@dataclass(frozen=True)
class Delivered:
    """One department's item in one month: rows, by what became of them. Shares are None where nothing was measured."""

    department: str
    item: str
    month: date
    feeds: int
    failed: int
    received: int
    valid: int
    duplicates: int
    quarantined: int
    corrected: int
    wrong_codes: int
    unregistered: int
    on_time: int
    late: int

    @property
    def on_time_share(self) -> float | None:
        """New facts known by their due day, of those measured 及时率."""
        measured = self.on_time + self.late
        return self.on_time / measured if measured else None

    @property
    def wrong_code_share(self) -> float | None:
        """Rows whose code has a wrong check character, and repeated rows, of those received 重错码率."""
        return (self.wrong_codes + self.duplicates) / self.received if self.received else None

    @property
    def valid_share(self) -> float | None:
        """Rows taken, new or known already, of those received 合格率."""
        return (self.valid + self.duplicates) / self.received if self.received else None


def next_id(tx: Session) -> int:
    """The number of the feed about to be taken; records carry it before the feed's own row is complete."""
    return int(tx.connection().scalar(text("SELECT nextval(pg_get_serial_sequence('feed', 'id'))")))


def add(tx: Session, feed: Feed) -> Feed:
    """Store a feed whose rows are counted."""
    tx.add(feed)
    tx.flush()
    return feed


def find(tx: Session, feed_id: int) -> Feed | None:
    """The feed, or None."""
    return tx.get(Feed, feed_id)


def get(tx: Session, feed_id: int) -> Feed:
    """The feed; NotFound where there is none this transaction may see."""
    feed = find(tx, feed_id)
    if feed is None:
        raise NotFound("没有找到这次报送")
    return feed


def find_taken(tx: Session, item: str, sha256: str) -> Feed | None:
    """The feed these very bytes were taken as, if they were."""
    query = select(Feed).where(Feed.item == item, Feed.sha256 == sha256, Feed.state == FeedState.TAKEN.value)
    return tx.exec(query).one_or_none()


def list_latest(tx: Session, limit: int = 50) -> list[Feed]:
    """The latest feeds, the newest first."""
    return list(tx.exec(select(Feed).order_by(col(Feed.id).desc()).limit(limit)))


def delivered(tx: Session, since: date, until: date) -> list[Delivered]:
    """The reporting figures of feeds received in [since, until], by department, item and month; sums of feed rows."""
    query = text(
        "SELECT department, item, date_trunc('month', received_on)::date AS month, count(*) AS feeds,"
        " count(*) FILTER (WHERE state = 'failed') AS failed, sum(received) AS received, sum(valid) AS valid,"
        " sum(duplicates) AS duplicates, sum(quarantined) AS quarantined, sum(corrected) AS corrected,"
        " sum(wrong_codes) AS wrong_codes, sum(unregistered) AS unregistered, sum(on_time) AS on_time,"
        " sum(late) AS late FROM feed WHERE received_on BETWEEN :since AND :until GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"
    )
    return [Delivered(**row) for row in tx.connection().execute(query, {"since": since, "until": until}).mappings()]
