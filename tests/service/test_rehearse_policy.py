"""A policy rehearsed on stored history: the one in use gives it to the byte, a stricter one turns the right demands."""

import asyncio
import json
from datetime import timedelta

import numpy as np
import psycopg
import pytest
from sqlalchemy import text

from matching.allocate import allocate, solver_version
from matching.appetite import Traits
from matching.certificate import certify
from matching.outlook import Outlook
from matching.policy import POLICY_FILE, load_policy
from service.actions.answer_push import answer_line
from service.actions.push_lists import push_missing
from service.actions.rehearse_policy import (
    Wish,
    ask_rehearsal,
    cancel_rehearsal,
    queue_rehearsal,
    read_tried,
    rehearse_waiting,
    reproduces,
    run_rehearsal,
)
from service.domain.answering import AnswerForm
from service.domain.appetite import around_of, traits_of
from service.domain.errors import Conflict, NotAllowed, NotFound, NotPossible
from service.domain.rehearsed_outcome import LEAST_FIRMS, REST, Expected, _luck, cells_of, chance_of
from service.domain.replay import unpack, unpack_prices
from service.jobs.worker import run
from service.profiles.model_files import open_model
from service.profiles.shadow import score_beside
from service.rehearsal_table import replayed
from service.store import push_lists, rehearsals
from tests.builders import (
    CITY,
    FANG,
    FANG_HERSELF,
    FENG,
    GAO,
    JINSHUI,
    NOW,
    PLATFORM,
    TODAY,
    a_demand,
    a_firm_with_records,
    a_model,
    a_small_world,
    bai,
    row_of,
    rows_of,
    some_tools,
)
from tests.kept_models import a_kept_model

SHIPPED = POLICY_FILE.read_bytes()
LIVE = load_policy()
STRICT = SHIPPED.replace(b'2024-10-15: {green: "12", yellow: "6"}', b'2024-10-15: {green: "120", yellow: "110"}')
"""Fang's firm (since March 2018: 99 months) is red by these lines, Feng's (since 2016: 125 months) is green."""
LOOSE = SHIPPED.replace(b'2024-10-15: {green: "12", yellow: "6"}', b'2024-10-15: {green: "1", yellow: "0"}')
YOUNG = TODAY - timedelta(days=100)
WEEK = TODAY - timedelta(days=6)


def a_wish(content: bytes = SHIPPED, **other) -> Wish:
    return Wish(**{"name": "policy.yaml", "content": content, "from_on": WEEK, "to_on": TODAY} | other)


def established(tx, uscc: str, on) -> None:
    tx.execute(
        text("UPDATE record SET happened_on = :on, known_on = :on WHERE item = 'registration' AND uscc = :u"),
        {"on": on, "u": uscc},
    )
    tx.execute(text("UPDATE firm SET established_on = :on WHERE uscc = :u"), {"on": on, "u": uscc})


@pytest.fixture
def history(database):
    """Two demands, judged and pushed today: Fang's of 2018, Feng's of 2016; both banks have their consent."""
    with database.transaction(PLATFORM) as tx:
        small = a_small_world(tx)
        established(tx, FENG, TODAY.replace(year=2016, month=1))
        tools = some_tools(tx)
        fang = a_demand(tx, FANG, (small.bank, small.other_bank), tools)
        feng = a_demand(tx, FENG, (small.bank,), tools)
        push_missing(tx, PLATFORM, TODAY, NOW, tools)
    return small, fang, feng


def rehearsed(database, settings, wish: Wish, who=CITY) -> tuple[int, dict]:
    who_city(database)
    with database.transaction(who) as tx:
        key = ask_rehearsal(tx, who, wish, LIVE, TODAY, NOW)
    assert run_rehearsal(settings, key) == "done"
    with database.transaction(who) as tx:
        return key, rehearsals.get(tx, key).found


def tampered(database, statement: str) -> None:
    """As only the server's own administrator could: nobody on the platform may change a verdict."""
    with psycopg.connect(database.address.admin_url, autocommit=True) as admin:
        admin.execute("SET session_replication_role = replica")
        admin.execute(statement)


def who_city(database) -> None:
    """The official of the city is a person."""
    with database.transaction(PLATFORM) as tx:
        tx.execute(
            text("""INSERT INTO person (id, login, name, password_hash, created_at, is_active, is_demo)
                    OVERRIDING SYSTEM VALUE VALUES (:id, 'city', '市', 'x', now(), true, false)
                    ON CONFLICT DO NOTHING"""),
            {"id": CITY.person_id},
        )


def lights_of(database, key: int) -> list[tuple]:
    with database.transaction(CITY) as tx:
        rows, total = rehearsals.list_lights(tx, key, None, None, 100, 0)
    assert total == len(rows)
    return [(row.demand_id, row.old, row.new, list(row.criteria)) for row in rows]


def test_the_policy_in_use_gives_history_to_the_byte_and_turns_nothing(database, settings, history) -> None:
    key, found = rehearsed(database, settings, a_wish())
    replay = found["replay"]
    assert reproduces(found)
    assert (replay["verdicts"], replay["same"], replay["elsewhere"], replay["different"]) == (2, 2, 0, [])
    assert (replay["runs"], replay["runs_same"]) == (1, 1)
    assert found["same_lines"]
    assert (found["joined"], found["left"], found["lists"]["grew"], found["lists"]["shrank"]) == (0, 0, 0, 0)
    assert lights_of(database, key) == []


def test_the_bytes_of_certificate_and_lists_come_again_from_what_was_stored(database, history) -> None:
    """From the stored problem (with its chances), prices and solver version, on one thread."""
    with database.transaction(PLATFORM) as tx:
        (kept,) = rows_of(tx, "certificate")
        lines = rehearsals.list_lines(tx, kept["id"])
    assert kept["inputs"]["solver"] == solver_version()
    problem, prices = unpack(kept["inputs"]), unpack_prices(kept["inputs"])
    again = allocate(problem)
    stored = json.dumps(kept["body"], sort_keys=True, separators=(",", ":")).encode()
    assert certify(problem, again.lines, prices).to_json() == certify(problem, again.lines, again.prices).to_json()
    assert certify(problem, again.lines, prices).to_json() == stored
    assert [(one.demand_id, one.product_id, one.bank_id, one.rank) for one in again.lines.rows()] == lines


def test_what_model_banks_and_products_became_since_changes_no_replay(database, settings, history) -> None:
    small, fang, _ = history
    with database.transaction(PLATFORM) as tx:
        line = next(row["id"] for row in rows_of(tx, "push_line", demand_id=fang) if row["bank_id"] == small.bank)
    officer = bai(small.bank)
    with database.transaction(officer) as tx:
        answer_line(tx, officer, AnswerForm(line, "refused", reasons=("industry",)), TODAY, NOW)
    with database.transaction(PLATFORM) as tx:
        push_missing(tx, PLATFORM, TODAY, NOW + timedelta(hours=1), some_tools(tx, model=a_model(0.3)))
        tx.execute(text("UPDATE product SET rate_min = rate_min + 0.01, places_per_day = 1, version = version + 1"))
        tx.execute(text("UPDATE platform_state SET model_version = 'another'"))
    _, found = rehearsed(database, settings, a_wish())
    assert reproduces(found)
    assert found["replay"]["runs_same"] == found["replay"]["runs"]


def test_recomputing_model_and_acceptance_agrees_to_a_billionth(database, settings, tmp_path) -> None:
    kept = a_kept_model(settings, tmp_path, 0.03, per_delay=0.4)
    with database.transaction(PLATFORM) as tx:
        small = a_small_world(tx)
        tools = some_tools(tx, model=kept)
        for uscc in (FANG, FENG):
            a_demand(tx, uscc, (small.bank, small.other_bank), tools)
        push_missing(tx, PLATFORM, TODAY, NOW, tools)
        estimates, (certificate,), verdicts = (rows_of(tx, name) for name in ("estimate", "certificate", "verdict"))
        traits = {row.id: row for row in push_lists.list_to_push(tx, TODAY + timedelta(days=1))}
        kinds = {row["id"]: row["kind"] for row in rows_of(tx, "bank")}
    model = open_model(settings.models, kept.version)
    again = score_beside(model, [row["features"] for row in estimates])
    assert [row["probability"] for row in estimates] == pytest.approx([one.probability for one in again], abs=1e-9)
    assert [float(row["facts"]["probability"]["value"]) for row in verdicts] == pytest.approx(
        [one.probability for one in again], abs=1e-6
    )
    problem, outlook = unpack(certificate["inputs"]), Outlook.from_json(certificate["appetite"])
    for pair, p_grant in enumerate(problem.p_grant.tolist()):
        demand = traits[int(problem.demand_id[problem.pair_demand[pair]])]
        bank = int(problem.bank_id[problem.product_bank[problem.pair_product[pair]]])
        mine = Traits(**{name: column[0] for name, column in traits_of([demand]).items()})
        (around,) = around_of([demand], {})
        assert p_grant == pytest.approx(outlook.of_line(bank, kinds[bank], mine, around).grant.p, abs=1e-9)


OTHER_SOLVER = """UPDATE certificate SET inputs = jsonb_set(inputs, '{solver}', '"auction 0, numba 0.1, numpy 1"')"""


@pytest.mark.parametrize("touch", [OTHER_SOLVER, "UPDATE certificate SET inputs = inputs - 'solver'"])
def test_rounds_of_another_solver_are_checked_by_their_certificate_only_and_said_so(
    database, settings, history, touch: str
) -> None:
    tampered(database, touch)
    _, found = rehearsed(database, settings, a_wish())
    replay = found["replay"]
    assert reproduces(found)
    assert (replay["runs"], replay["runs_same"], replay["runs_certified"]) == (1, 0, 1)
    said = dict(replayed(found))
    assert said["重放分配：0 / 0 轮一致。 Sharings out reproduced."]
    assert any("另有 1 轮由其他版本的分配程序作出" in one for one in said)


def test_lists_of_another_solver_that_are_wrong_are_named(database, settings, history) -> None:
    turned = "UPDATE push_line SET rank = 3 - rank WHERE demand_id = (SELECT min(demand_id) FROM push_line)"
    tampered(database, OTHER_SOLVER)
    tampered(database, turned)
    _, found = rehearsed(database, settings, a_wish())
    tampered(database, turned)
    assert not reproduces(found)
    assert found["replay"]["runs_certified"] == 0
    assert found["replay"]["runs_different"] == [[TODAY.isoformat(), 0]]


@pytest.mark.parametrize(
    "touch",
    [
        """UPDATE verdict SET findings = jsonb_set(findings, '{0,sentence_zh}', '"别的话"')""",
        "UPDATE verdict SET light = 'red'",
        """UPDATE verdict SET facts = jsonb_set(facts, '{amount_fen,value}', '7')""",
        "UPDATE push_line SET rank = 3 - rank WHERE demand_id = (SELECT min(demand_id) FROM push_line)",
    ],
)
def test_history_that_was_touched_does_not_come_out_and_is_named(database, settings, history, touch: str) -> None:
    tampered(database, touch)
    _, found = rehearsed(database, settings, a_wish())
    if "rank" in touch:
        tampered(database, touch)  # as it was: every list is checked once more after the test
    assert not reproduces(found)
    assert found["replay"]["different"] or found["replay"]["runs_different"] == [[TODAY.isoformat(), 0]]


def test_a_verdict_of_another_version_of_the_policy_is_counted_apart(database, settings, history) -> None:
    tampered(database, f"UPDATE verdict SET policy_hash = repeat('f', 64) WHERE demand_id = {history[1]}")
    _, found = rehearsed(database, settings, a_wish())
    assert (found["replay"]["verdicts"], found["replay"]["same"], found["replay"]["elsewhere"]) == (2, 1, 1)
    assert reproduces(found)


def test_a_stricter_line_turns_the_right_demand_says_why_and_takes_it_off_the_lists(
    database, settings, history
) -> None:
    small, fang, _ = history
    key, found = rehearsed(database, settings, a_wish(STRICT))
    assert lights_of(database, key) == [(fang, "green", "red", ["months_in_business"])]
    assert found["lights"] == [["green", "green", 1], ["green", "red", 1]]
    assert found["criteria"] == [["months_in_business", 1]]
    assert (found["left"], found["joined"]) == (1, 0)
    assert found["lists"]["most"] == [
        [TODAY.isoformat(), 0, small.bank, 2, 1],
        [TODAY.isoformat(), 0, small.other_bank, 1, 0],
    ]
    assert not found["same_lines"]


def test_a_looser_line_lets_a_demand_through_to_the_banks_that_had_its_consent(database, settings) -> None:
    with database.transaction(PLATFORM) as tx:
        small = a_small_world(tx)
        established(tx, FANG, YOUNG)
        tools = some_tools(tx)
        fang = a_demand(tx, FANG, (small.other_bank,), tools)
        a_demand(tx, FENG, (small.bank, small.other_bank), tools)
        assert row_of(tx, "demand", fang)["light"] == "red"
        push_missing(tx, PLATFORM, TODAY, NOW, tools)
    key, found = rehearsed(database, settings, a_wish(LOOSE))
    assert lights_of(database, key) == [(fang, "red", "green", ["months_in_business"])]
    assert (found["left"], found["joined"]) == (0, 1)
    assert found["lists"]["most"] == [[TODAY.isoformat(), 0, small.other_bank, 1, 2]]
    assert found["lists"]["same"] == 1


def test_what_was_let_through_is_offered_once_and_not_carried_into_another_day(database, settings) -> None:
    yesterday, before = TODAY - timedelta(days=1), NOW - timedelta(days=1)
    with database.transaction(PLATFORM) as tx:
        small = a_small_world(tx)
        established(tx, FANG, YOUNG)
        tools = some_tools(tx)
        a_demand(tx, FANG, (small.bank,), tools, yesterday, before)
        a_demand(tx, FENG, (small.bank,), tools, yesterday, before)
        push_missing(tx, PLATFORM, yesterday, before, tools)
        a_demand(tx, a_third_firm(tx), (small.other_bank,), tools)
        push_missing(tx, PLATFORM, TODAY, NOW, tools)
    _, found = rehearsed(database, settings, a_wish(LOOSE))
    assert found["replay"]["runs_same"] == found["replay"]["runs"] == 2
    assert found["joined"] == 1
    assert [one[0] for one in found["lists"]["most"]] == [yesterday.isoformat()]


def a_third_firm(tx, uscc: str = "91410199MA0000031F") -> str:
    return a_firm_with_records(tx, uscc, name="郑州第三贸易有限公司")


def test_lines_of_a_later_day_can_be_held_on_all_days(database, settings, history) -> None:
    later = TODAY + timedelta(days=1)
    line = b'2024-10-15: {green: "12", yellow: "6"}'
    announced = SHIPPED.replace(line, line + f'\n      {later}: {{green: "120", yellow: "110"}}'.encode(), 1)
    key, found = rehearsed(database, settings, a_wish(announced))
    assert (lights_of(database, key), found["same_lines"]) == ([], True)
    key, found = rehearsed(database, settings, a_wish(announced, held_on=later))
    assert [one[:3] for one in lights_of(database, key)] == [(history[1], "green", "red")]
    assert reproduces(found)


def test_a_rehearsal_done_twice_finds_the_same_and_asked_twice_is_one(database, settings, history) -> None:
    who_city(database)
    with database.transaction(CITY) as tx:
        keys = {queue_rehearsal(tx, CITY, a_wish(STRICT), LIVE, TODAY, NOW) for _ in range(2)}
        with pytest.raises(Conflict):
            ask_rehearsal(tx, CITY, a_wish(STRICT, held_on=TODAY), LIVE, TODAY, NOW)
    (key,) = keys
    assert rehearse_waiting(settings) == 1
    with database.transaction(PLATFORM) as tx:
        first = rehearsals.get(tx, key).found
        tx.execute(text("UPDATE rehearsal SET state = 'running'"))  # as a worker that was killed at the end leaves it
    assert rehearse_waiting(settings) == 1
    assert rehearse_waiting(settings) == 0
    with database.transaction(PLATFORM) as tx:
        assert rehearsals.get(tx, key).found == first
    assert len(lights_of(database, key)) == 1


def test_history_itself_is_not_touched(database, settings, history) -> None:
    tables = ("verdict", "demand", "push_line", "push_list", "certificate", "light_change", "notice", "follow_up")

    def counts() -> dict[str, list]:
        with database.transaction(PLATFORM) as tx:
            return {name: [dict(row) for row in rows_of(tx, name)] for name in tables}

    before = counts()
    rehearsed(database, settings, a_wish(STRICT))
    assert counts() == before


def test_the_worker_rehearses_what_waits(database, settings, history) -> None:
    who_city(database)
    with database.transaction(CITY) as tx:
        key = queue_rehearsal(tx, CITY, a_wish(STRICT), LIVE, TODAY, NOW)
    asyncio.run(run(settings, wait=False, install_signal_handlers=False))
    with database.transaction(CITY) as tx:
        row = rehearsals.get(tx, key)
    assert (row.state, row.done, row.total) == ("done", 7, 7)


def test_a_rehearsal_stops_after_its_day_and_keeps_nothing(database, settings, history) -> None:
    who_city(database)
    with database.transaction(CITY) as tx:
        key = ask_rehearsal(tx, CITY, a_wish(STRICT), LIVE, TODAY, NOW)

    def stop(done: int, _total: int) -> None:
        if done == 2:
            with database.transaction(CITY) as tx:
                cancel_rehearsal(tx, CITY, key, NOW)

    assert run_rehearsal(settings, key, stop) == "cancelled"
    with database.transaction(CITY) as tx:
        row = rehearsals.get(tx, key)
        assert (row.state, row.done, row.found) == ("cancelled", 3, None)
        with pytest.raises(Conflict):
            cancel_rehearsal(tx, CITY, key, NOW)
    assert lights_of(database, key) == []


def test_one_that_still_waits_is_cancelled_at_once_and_never_begins(database, settings, history) -> None:
    who_city(database)
    with database.transaction(CITY) as tx:
        key = ask_rehearsal(tx, CITY, a_wish(STRICT), LIVE, TODAY, NOW)
        cancel_rehearsal(tx, CITY, key, NOW)
    assert rehearse_waiting(settings) == 0
    assert run_rehearsal(settings, key) == "cancelled"


@pytest.mark.parametrize("who", [GAO, FANG_HERSELF, bai(1)])
def test_only_officials_of_the_city_may_ask_stop_or_see(database, settings, history, who) -> None:
    key, _ = rehearsed(database, settings, a_wish())
    with database.transaction(who) as tx:
        with pytest.raises(NotAllowed):
            ask_rehearsal(tx, who, a_wish(), LIVE, TODAY, NOW)
        with pytest.raises(NotAllowed):
            cancel_rehearsal(tx, who, key, NOW)
        with pytest.raises(NotFound):
            rehearsals.get(tx, key)
        assert rehearsals.list_latest(tx) == []


def test_asking_stopping_and_the_end_each_leave_one_entry_in_the_trail(database, settings, history) -> None:
    key, _ = rehearsed(database, settings, a_wish(STRICT))
    with database.transaction(CITY) as tx:
        other = ask_rehearsal(tx, CITY, a_wish(), LIVE, TODAY, NOW)
        cancel_rehearsal(tx, CITY, other, NOW)
    with database.transaction(PLATFORM) as tx:
        told = [(row["verb"], row["noun_id"], row["new"]) for row in rows_of(tx, "trail", noun="rehearsal")]
    assert told == [
        ("asked_for", key, "waiting"),
        ("rehearsed", key, "done"),
        ("asked_for", other, "waiting"),
        ("stopped", other, None),
    ]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "a policy file is a mapping"),
        (b"{", "not valid YAML"),
        (b"\xff\xfe\xfa", "."),
        (b"criteria: [7]\n", "."),
        (b"based_on: ../../secret.yaml\n", "."),
        (SHIPPED.replace(b"more_than_nothing", b"x") + b"\nstranger: 1\n", "nobody knows the part 'stranger'"),
        (SHIPPED.replace(b'green: "12"', b'green: "a dozen"', 1), "months_in_business"),
        (b"#" * 400_000, "300 KB"),
    ],
)
def test_a_file_that_is_no_policy_is_refused_with_one_sentence(content: bytes, why: str) -> None:
    with pytest.raises(NotPossible) as refused:
        read_tried("mine.yaml", content)
    assert why in str(refused.value)
    assert "\n" not in str(refused.value)
    assert "/" not in str(refused.value).replace("matching/policy.yaml", "")


def test_a_file_may_be_based_on_the_shipped_one() -> None:
    part = SHIPPED[SHIPPED.index(b"criteria:") :].split(b"\nclocks:")[0]
    based = b'based_on: policy.yaml\nversion: "x"\nname: {zh: "x", en: "x"}\n' + part
    assert [one.id for one in read_tried("mine.yaml", based).criteria] == [one.id for one in LIVE.criteria]


@pytest.mark.parametrize(
    ("days", "sentence"),
    [
        ({"from_on": TODAY, "to_on": WEEK}, "开始日"),
        ({"to_on": TODAY + timedelta(days=1)}, "已经过去"),
        ({"from_on": TODAY - timedelta(days=400)}, "400"),
        ({"from_on": TODAY.replace(year=2023), "to_on": TODAY.replace(year=2023)}, "还没有生效的口径"),
    ],
)
def test_days_that_cannot_be_rehearsed_are_refused_with_a_sentence(database, days, sentence: str) -> None:
    with database.transaction(CITY) as tx, pytest.raises(NotPossible, match=sentence):
        ask_rehearsal(tx, CITY, a_wish(**days), LIVE, TODAY, NOW)


def an_expected(number: int, district: str) -> Expected:
    return Expected(number, f"firm {number}", district, "F52", 1_000_000, 0.5, 0.04, 0.25, 0.05)


def cells(sizes: dict[str, int]) -> dict[str, int]:
    """District → firms, as shown."""
    expected = [an_expected(number + 1000 * place, key) for place, (key, size) in enumerate(sizes.items())
                for number in range(size)]  # fmt: skip
    judged = [(one.district, one.uscc, False) for one in expected]
    return {one.key: one.firms for one in cells_of(expected, judged, [one.district for one in expected])}


def test_small_cells_are_shown_only_together_and_never_by_subtraction() -> None:
    assert LEAST_FIRMS == 5
    assert cells({"a": 9, "b": 6}) == {"a": 9, "b": 6}
    assert cells({"a": 9, "b": 3, "c": 4}) == {"a": 9, REST: 7}
    assert cells({"a": 9, "b": 6, "c": 1}) == {"a": 9, REST: 7}, "one small cell takes the next smallest with it"
    assert cells({"a": 2, "b": 2}) == {}


def test_expected_grants_money_and_rate_are_the_sums_and_lie_in_their_intervals() -> None:
    expected = [an_expected(number, JINSHUI) for number in range(200)]
    (cell,) = cells_of(expected, [], [JINSHUI] * 200)
    assert (cell.old["grants"][0], cell.new["grants"][0], cell.change["grants"][0]) == (100, 50, -50)
    assert (cell.old["amount_fen"][0], cell.change["amount_fen"][0]) == (100_000_000, -50_000_000)
    assert (cell.old["rate"][0], cell.new["rate"][0]) == ("0.040000", "0.050000")
    for side in (cell.old, cell.new, cell.change):
        mean, low, high = side["grants"]
        assert low < mean < high
        assert high - low < 40, "two standard deviations of 200 coins are 14 to each side"
    json.dumps(cell.document())


def test_chances_of_different_demands_go_their_own_ways_and_of_the_same_one_together() -> None:
    luck = _luck(np.arange(2000, dtype=np.uint64))
    assert luck.min() >= 0
    assert luck.max() < 1
    assert abs(luck.mean() - 0.5) < 0.005
    assert abs(np.corrcoef(luck[0::2].ravel(), luck[1::2].ravel())[0, 1]) < 0.01
    assert np.array_equal(_luck(np.array([7], np.uint64))[0], luck[7])


def test_a_demand_is_granted_once_so_its_lines_chances_add_up() -> None:
    chance, rate = chance_of([0.2, 0.2, 0.2], [0.03, 0.04, 0.05])
    assert (chance, rate) == (pytest.approx(0.6), pytest.approx(0.04))
    assert chance_of([0.5, 0.5, 0.5], [0.03, 0.04, 0.05])[0] == 1
    assert chance_of([], []) == (0.0, 0.0)


def test_a_person_s_word_holds_unless_the_new_lines_make_a_criterion_red(database, settings) -> None:
    with database.transaction(PLATFORM) as tx:
        small = a_small_world(tx)
        tx.execute(text("DELETE FROM record WHERE item = 'social_insurance' AND uscc = :u"), {"u": FANG})
        tools = some_tools(tx)
        fang = a_demand(tx, FANG, (small.bank,), tools)
        tx.execute(
            text("UPDATE demand SET state = 'recommended', recommended_on = :t WHERE id = :d"), {"t": TODAY, "d": fang}
        )
        push_missing(tx, PLATFORM, TODAY, NOW, tools)
        assert len(rows_of(tx, "push_line", demand_id=fang)) == 1
    _, found = rehearsed(database, settings, a_wish(LOOSE))
    assert found["left"] == 0
    _, found = rehearsed(database, settings, a_wish(STRICT))
    assert found["left"] == 1
