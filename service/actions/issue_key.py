"""Keys for a bank's machines: issued once, shown once, revoked at once."""

from datetime import datetime

from sqlmodel import Session

from service import security
from service.domain.errors import Conflict, NotAllowed, NotPossible
from service.domain.people import ApiKey, Role, Who
from service.security import NewApiKey
from service.store import people, trail
from service.store.trail import Act

MOST_LIVE = 20


def issue_key(tx: Session, who: Who, name: str, now: datetime) -> NewApiKey:
    """A new key for the bank's own systems; its secret is never seen again.

    Errors: NotAllowed, NotPossible, Conflict.
    """
    bank_id = _bank_of(who)
    if not name.strip():
        raise NotPossible("请写明哪个系统使用这把密钥。", field="system")
    if sum(key.revoked_at is None for key in people.list_api_keys(tx, bank_id)) >= MOST_LIVE:
        raise Conflict("有效密钥最多 {most} 把，请先停用不用的。", most=MOST_LIVE)
    made = security.new_api_key()
    key = ApiKey(
        prefix=made.prefix,
        key_hash=made.hash,
        role=Role.OFFICER.value,
        bank_id=bank_id,
        name=name.strip()[:120],
        created_by=who.person_id,
        created_at=now,
    )
    added = people.add_api_key(tx, key)
    trail.append(tx, who, [Act("issued", "api_key", added.id, bank_id=bank_id)], now)
    return made


def revoke_key(tx: Session, who: Who, key_id: int, now: datetime) -> None:
    """The key opens nothing any more; revoked twice is revoked once. Errors: NotAllowed, NotFound."""
    bank_id = _bank_of(who)
    key = people.get_api_key(tx, bank_id, key_id)
    if key.revoked_at is not None:
        return
    key.revoked_at = now
    trail.append(tx, who, [Act("revoked", "api_key", key.id, bank_id=bank_id)], now)


def _bank_of(who: Who) -> int:
    if who.role is not Role.BANK_ADMIN or who.bank_id is None:
        raise NotAllowed("只有本行管理员可以管理接口密钥。")
    return who.bank_id
