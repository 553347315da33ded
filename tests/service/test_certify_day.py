"""`xindeng certify`: a published day stands up to the referee again, and nothing that was touched since passes."""

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlmodel import Session
from typer.testing import CliRunner

from matching.policy import load_policy
from service import cli
from service.actions.certify_day import CheckedDay, certify_day
from service.actions.push_lists import push_missing
from service.domain.errors import NotAllowed
from service.settings import settings as known_settings
from service.store.database import transaction
from service.store.server import ServerAddress, sqlalchemy_url
from tests.lending import CYCLE, NOW, TODAY, WAN, Lending, at, officer, rows_of

POLICY = load_policy()


class Cast:
    """Three banks with two places each; Fang names two of them, Feng means the third, and others compete."""

    def __init__(self, address: ServerAddress) -> None:
        self.admin = create_engine(sqlalchemy_url(address.admin_url))
        with transaction(CYCLE) as tx:
            self.city = Lending(tx)
            self.banks = [self.city.bank() for _ in range(3)]
            self.products = [self.city.product(bank, places_per_day=2) for bank in self.banks]
            self.fang = self.city.demand(consents=tuple(self.banks[:2]))
            self.feng = self.city.demand(intended=(self.banks[2],))
            for number in range(4):
                self.city.demand(consents=tuple(self.banks), amount_fen=(20 + number) * WAN)
        with transaction(CYCLE) as tx:
            push_missing(tx, CYCLE, TODAY, NOW, POLICY)

    def certify(self) -> CheckedDay:
        with transaction(CYCLE) as tx:
            return certify_day(tx, CYCLE, TODAY)

    def after(self, *touches: str) -> CheckedDay:
        """As it would be had an administrator touched the rows, whom nothing in the database keeps from it."""
        with Session(self.admin) as tx:
            tx.execute(text("SET LOCAL session_replication_role = replica"))
            for sql in touches:
                tx.execute(text(sql))
            checked = certify_day(tx, CYCLE, TODAY)
            tx.rollback()
        return checked


@pytest.fixture
def cast(database) -> Iterator[Cast]:
    made = Cast(database.address)
    yield made
    made.admin.dispose()


def test_a_day_s_lists_pass_again_from_the_rows_alone(cast: Cast) -> None:
    day = cast.certify()
    with transaction(CYCLE) as tx:
        (kept,) = rows_of(tx, "SELECT body FROM certificate")
    (run,) = day.runs
    assert day.breaches == ()
    assert (run.lines, run.has_stage_prices) == (6, True)
    assert json.loads(run.proof.to_json()) == kept.body


def test_a_supplement_is_a_run_of_its_own_and_passes_too(cast: Cast) -> None:
    with transaction(CYCLE) as tx:
        cast.city.tx = tx
        bank = cast.city.bank()
        cast.city.product(bank)
        cast.city.demand(consents=(bank,))
        push_missing(tx, CYCLE, TODAY, at(TODAY, 14), POLICY)
    day = cast.certify()
    assert ([run.run for run in day.runs], day.breaches) == ([0, 1], ())


WITHDRAWN = (
    "INSERT INTO consent_withdrawal (consent_id, uscc, withdrawn_on, withdrawn_at)"
    " SELECT consent_id, uscc, '{at:%Y-%m-%d}', '{at:%Y-%m-%d %H:%M%z}' FROM push_line"
)


def test_what_became_of_the_lines_later_does_not_matter(cast: Cast) -> None:
    ended = (
        "UPDATE push_line SET state = 'silent', closed_on = pushed_on + 7, reserved_fen = 0, due_step = 'none',"
        " due_on = NULL"
    )
    assert cast.after(ended, WITHDRAWN.format(at=NOW + timedelta(days=1))).breaches == ()


def test_a_day_without_lists_has_nothing_to_breach(cast: Cast) -> None:
    with transaction(CYCLE) as tx:
        assert certify_day(tx, CYCLE, TODAY - timedelta(days=1)) == CheckedDay(TODAY - timedelta(days=1), (), ())


ONE_LINE = "(SELECT min(id) FROM push_line)"
TOUCHED = {
    "a line moved to another product": (
        (
            "UPDATE push_line SET product_id = (SELECT max(id) FROM product WHERE bank_id <> push_line.bank_id)"
            f" WHERE id = {ONE_LINE}"
        ),
        "does not belong to this bank",
    ),
    "a line put at another rank": (f"UPDATE push_line SET rank = 9 WHERE id = {ONE_LINE}", "not ranked"),
    "an amount raised": (f"UPDATE push_line SET amount_fen = amount_fen + 1 WHERE id = {ONE_LINE}", "shared out with"),
    "a mark of intention set": (f"UPDATE push_line SET is_intended = NOT is_intended WHERE id = {ONE_LINE}", "named"),
    "a line taken off": (f"DELETE FROM push_line WHERE id = {ONE_LINE}", "output_hash"),
    "a consent that named another bank": (
        (
            "UPDATE push_line SET consent_id = (SELECT min(id) FROM consent WHERE bank_id <> push_line.bank_id)"
            f" WHERE id = {ONE_LINE}"
        ),
        "no consent",
    ),
    "a consent withdrawn an hour before": (WITHDRAWN.format(at=NOW - timedelta(hours=1)), "no consent"),
    "a list's count": ("UPDATE push_list SET lines = lines + 1", "its lines say otherwise"),
    "a list's hash": ("UPDATE push_list SET content_hash = repeat('0', 64)", "its hash"),
    "a certificate marked invalid": ("UPDATE certificate SET is_valid = false", "no valid certificate"),
    "a value made better": ("UPDATE certificate SET body = jsonb_set(body, '{value}', '99')", "says value 99"),
    "a bound made nearer": ("UPDATE certificate SET body = jsonb_set(body, '{bound}', '0.001')", "says bound"),
    "another problem under it": ("UPDATE certificate SET inputs = jsonb_set(inputs, '{max_banks}', '1')", "input_hash"),
    "a problem that cannot be read": ("UPDATE certificate SET inputs = '{}'", "cannot be read"),
}


@pytest.mark.parametrize("what", TOUCHED)
def test_whatever_was_touched_since_is_found(cast: Cast, what: str) -> None:
    sql, said = TOUCHED[what]
    assert any(said in breach for breach in cast.after(sql).breaches)


def test_lists_from_before_the_prices_were_kept_are_proved_by_the_highest_of_them(cast: Cast) -> None:
    near = cast.certify().runs[0].proof
    (run,) = cast.after("UPDATE certificate SET inputs = inputs - 'prices'").runs
    assert (run.breaches, run.has_stage_prices) == ((), False)
    assert run.proof.bound >= near.bound >= run.proof.value


def test_only_the_platform_checks_a_whole_day(cast: Cast) -> None:
    bai = officer(cast.banks[0])
    with transaction(bai) as tx, pytest.raises(NotAllowed):
        certify_day(tx, bai, TODAY)


def test_the_check_never_meets_the_solver() -> None:
    seen = (
        "import sys, service.actions.certify_day, service.certified_table;"
        "print([name for name in sys.modules if name in ('matching.allocate', 'matching.auction', 'matching.polish')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", seen], cwd=Path(__file__).parents[2], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_the_command_prints_writes_and_ends_with_one_on_a_breach(
    cast: Cast, database, settings, monkeypatch, tmp_path
) -> None:
    here = database.address
    urls = {"DATABASE_URL": here.owner_url, "DATABASE_WEB_URL": here.web_url, "DATABASE_CYCLE_URL": here.cycle_url}
    for name, value in {"HOME": str(settings.home), "DEMO": "1", **urls}.items():
        monkeypatch.setenv(f"XINDENG_{name}", value)
    known_settings.cache_clear()
    try:
        written = tmp_path / "kept" / "day.json"
        words = ["certify", "--on", str(TODAY), "--out", str(written)]
        good = CliRunner().invoke(cli.app, words)
        assert (good.exit_code, json.loads(written.read_text("utf-8"))["is_valid"]) == (0, True)
        with cast.admin.begin() as admin:
            admin.execute(text("UPDATE push_list SET lines = lines + 1"))
        bad = CliRunner().invoke(cli.app, [*words, "--json"])
        told = json.loads(written.read_text("utf-8"))
        assert (bad.exit_code, told["is_valid"], json.loads(bad.stdout)) == (1, False, told)
        assert told["breaches"]
    finally:
        known_settings.cache_clear()
