"""What a transaction remembers holds as long as it does: a rollback to a savepoint takes it back."""

import threading

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from service.actions.set_calendar import set_days
from service.domain.errors import Conflict
from service.domain.people import Role, Who
from service.store import products, standing, trail
from service.store.calendar import calendar
from service.store.database import transaction
from service.store.trail import Act
from tests.lending import CYCLE, NOW, TODAY, WAN, Lending, rows_of

OTTO = Who(Role.OPERATOR, 3, "Otto")
ACT = Act("noted", "firm", 1, district="410105")


def is_held_by_another(demand: int) -> bool:
    with transaction(CYCLE) as tx:
        try:
            with tx.begin_nested():
                tx.execute(text("SELECT 1 FROM demand WHERE id = :id FOR UPDATE NOWAIT"), {"id": demand})
        except OperationalError:
            return True
    return False


def test_a_lock_given_back_with_a_savepoint_is_taken_again(database) -> None:
    with transaction(CYCLE) as tx:
        city = Lending(tx)
        one, two = city.demand(), city.demand()
    with transaction(CYCLE) as tx:
        assert standing.lock(tx, [one]) == [one]
        with pytest.raises(Conflict), tx.begin_nested():
            assert standing.lock(tx, [two, one, 999]) == [one, two]
            raise Conflict("no")
        assert (is_held_by_another(one), is_held_by_another(two)) == (True, False)
        assert standing.lock(tx, [one, two]) == [one, two]
        assert is_held_by_another(two)


def test_a_chain_goes_on_from_where_a_savepoint_left_it(database) -> None:
    with transaction(CYCLE) as tx:
        trail.append(tx, CYCLE, [ACT], NOW)
        trail.append(tx, CYCLE, [ACT, ACT], NOW)
        with pytest.raises(Conflict), tx.begin_nested():
            trail.append(tx, CYCLE, [ACT], NOW)
            raise Conflict("no")
        with tx.begin_nested():
            trail.append(tx, CYCLE, [ACT], NOW)
        trail.append(tx, CYCLE, [ACT], NOW)
    with transaction(CYCLE) as tx:
        chain = trail.list_chain(tx, trail.chain_of(ACT, NOW))
        assert trail.first_break(chain) is None
        assert trail.head_of(tx, trail.chain_of(ACT, NOW)) == (5, chain[-1]["hash"])


def test_chains_written_at_once_stay_whole(database) -> None:
    barrier = threading.Barrier(4)

    def write() -> None:
        barrier.wait()
        for _ in range(5):
            with transaction(CYCLE) as tx:
                trail.append(tx, CYCLE, [ACT], NOW)
                trail.append(tx, CYCLE, [ACT, Act("noted", "bank", bank_id=1)], NOW)

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with transaction(CYCLE) as tx:
        for row in rows_of(tx, "SELECT chain, entries FROM trail_head"):
            chain = trail.list_chain(tx, row.chain)
            assert (len(chain), trail.first_break(chain)) == (row.entries, None)
        assert len(rows_of(tx, "SELECT 1 FROM trail")) == 60


def test_an_operator_s_day_is_seen_at_once_and_gone_with_its_savepoint(database) -> None:
    with transaction(OTTO) as tx:
        assert calendar(tx).is_working_day(TODAY)
        with pytest.raises(Conflict), tx.begin_nested():
            set_days(tx, OTTO, {TODAY: False}, "", TODAY, NOW)
            assert not calendar(tx).is_working_day(TODAY)
            raise Conflict("no")
        assert calendar(tx).is_working_day(TODAY)
        set_days(tx, OTTO, {TODAY: False}, "", TODAY, NOW)
        assert not calendar(tx).is_working_day(TODAY)
    with transaction(CYCLE) as tx:
        assert not calendar(tx).is_working_day(TODAY)


def test_nothing_is_remembered_beyond_the_transaction(database) -> None:
    with transaction(CYCLE) as tx:
        calendar(tx)
        assert standing.held_demands(tx) == set()
    assert "memory" not in tx.info


def test_a_quota_asked_for_by_many_at_once_is_never_oversold(database) -> None:
    with transaction(CYCLE) as tx:
        city = Lending(tx)
        bank = city.bank()
        one, two = (city.product(bank, quota_fen=10 * WAN) for _ in range(2))
    barrier, taken = threading.Barrier(4), []

    def take(first: int) -> None:
        barrier.wait()
        for turn in range(5):
            try:
                with transaction(CYCLE) as tx:
                    products.move_money(tx, {one: (first + turn) % 2 * WAN, two: WAN}, {})
                taken.append(1)
            except Conflict:
                pass

    threads = [threading.Thread(target=take, args=(first,)) for first in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with transaction(CYCLE) as tx:
        held = {row.id: row.reserved_fen for row in rows_of(tx, "SELECT id, reserved_fen FROM product")}
    assert (held[two], len(taken)) == (10 * WAN, 10)
    assert held[one] <= 10 * WAN
