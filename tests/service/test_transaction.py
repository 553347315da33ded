"""All of it or none of it, and who sees which rows."""

import threading
from datetime import date

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from service.clock import machine_now
from service.domain.people import Role, Who, the_platform
from service.store import trail
from service.store.database import Database, transaction
from service.store.trail import Act

GAO = Who(Role.DISTRICT, 1, "Gao", district="410105")
FANG = Who(Role.FIRM, 2, "Fang", uscc="91410199MA00004100")


def note(tx, who=None):
    trail.append(tx, who or the_platform(), [Act("noted", "firm", 1, uscc=FANG.uscc, district="410105")], machine_now())


def test_what_fails_at_the_end_leaves_nothing(database: Database) -> None:
    with pytest.raises(ValueError, match="at the end"), transaction(the_platform()) as tx:
        note(tx)
        raise ValueError("at the end")
    with transaction(the_platform()) as tx:
        assert tx.execute(text("SELECT count(*) FROM trail")).scalar_one() == 0


def test_a_person_sees_only_rows_of_the_own_scope(database: Database) -> None:
    with transaction(the_platform()) as tx:
        note(tx)
    feng = Who(Role.FIRM, 3, "Feng", uscc="92410105MA0000023B")
    seen = {}
    for who in (
        FANG,
        GAO,
        feng,
        Who(Role.CITY, 4),
        Who(Role.DISTRICT, 5, district="410102"),
        Who(Role.OFFICER, 6, bank_id=1),
    ):
        with transaction(who) as tx:
            seen[who.name or who.role.value] = tx.execute(text("SELECT count(*) FROM trail")).scalar_one()
    assert seen == {"Fang": 1, "Gao": 1, "Feng": 0, "city": 1, "district": 0, "officer": 0}


def test_the_context_does_not_leak_to_the_next_transaction_on_the_connection(database: Database) -> None:
    for _ in range(3):
        with transaction(FANG) as tx:
            assert tx.execute(text("SELECT current_setting('xindeng.uscc', true)")).scalar_one() == FANG.uscc
        with transaction(Who(Role.CITY, 4)) as tx:
            assert tx.execute(text("SELECT current_setting('xindeng.uscc', true)")).scalar_one() == ""


def test_the_trail_cannot_be_changed_by_the_platform_itself(database: Database) -> None:
    with transaction(the_platform()) as tx:
        note(tx)
    for statement in ("UPDATE trail SET verb = 'x'", "DELETE FROM trail"):
        with pytest.raises(ProgrammingError, match="permission denied"), transaction(the_platform()) as tx:
            tx.execute(text(statement))


def test_writers_of_one_chain_at_once_leave_a_sound_chain(database: Database) -> None:
    def write() -> None:
        for _ in range(10):
            with transaction(the_platform()) as tx:
                note(tx)

    threads = [threading.Thread(target=write) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with transaction(the_platform()) as tx:
        chain = tx.execute(text("SELECT DISTINCT chain FROM trail")).scalar_one()
        entries = trail.list_chain(tx, chain)
        assert len(entries) == 60
        assert trail.first_break(entries) is None
        assert trail.head_of(tx, chain) == (60, entries[-1]["hash"])
        bent = [dict(entry) for entry in entries]
        bent[30]["verb"] = "denied"
        assert trail.first_break(bent) == bent[30]


def test_today_is_the_citys_day_not_the_servers() -> None:
    from datetime import UTC, datetime

    from service.clock import Clock, day_of, instant_on

    assert day_of(datetime(2026, 6, 29, 17, 0, tzinfo=UTC)) == date(2026, 6, 30)
    assert day_of(instant_on(date(2026, 6, 30), 0, 1)) == date(2026, 6, 30)
    assert Clock(demo_on=date(2026, 6, 30)).today() == date(2026, 6, 30)
