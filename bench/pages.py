"""A bank's list among 330,000 demands, 141,000 lines of them its own: how long each page takes on the server.

    python bench/pages.py [--demands 330000] [--runs 9] [--json PATH] [--keep FOLDER]

An embedded database with the demands, their verdicts and estimates, and two lines for most of them at 40 banks, one of
which has 141,000 and a tenth of those still open. Each page of fifty lines is asked as a signed-in officer of that bank
asks, templates, row-level security and all. The median of the runs, and the processor time a run takes of the page's
process and of the database together, which says the same on a busy machine. Before anything is counted the list is
asked a dozen times, as on any morning: by then the database keeps the plan of the page's lines.
"""

import argparse
import json
import os
import shutil
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from statistics import median

import psycopg
from _signed_in import asking
from rich.console import Console
from rich.table import Table

from service.domain.people import Role, Who
from service.domain.standards.regions import REGIONS
from service.settings import DEMO_DAY, hand_on, read_settings
from service.settings import settings as known_settings
from service.store.database import Database, use
from service.store.migrate import migrate
from service.store.server import serving

BANKS, OWN = 40, 141_000
YEAR = 365
BAR_MS = 60
WARM = 12
PAGES = {
    "open, by due day": "/push-lists",
    "open, by name": "/push-lists?sort=firm_name",
    "open, by grade": "/push-lists?sort=grade",
    "open, by state": "/push-lists?sort=state",
    "open, on yellow": "/push-lists?light=yellow",
    "open, in one area": "/push-lists?district=410105&sort=-amount_fen",
    "open, a name": "/push-lists?q=青禾",
    "waiting": "/push-lists?only=waiting",
    "overdue": "/push-lists?only=overdue",
    "all": "/push-lists?only=all",
    "all, by amount": "/push-lists?only=all&sort=-amount_fen",
    "all, by name": "/push-lists?only=all&sort=firm_name",
    "all, by grade": "/push-lists?only=all&sort=grade",
    "all, on red": "/push-lists?only=all&light=red",
    "all, page 1,000": "/push-lists?only=all&page=1000",
    "all, a name": "/push-lists?only=all&q=青禾",
    "all, a rare name": "/push-lists?only=all&q=第77777号",
    "all, a code": "/push-lists?only=all&q=914101000000077777",
    "all, a number": "/push-lists?only=all&q=20260630-077777",
    "all, nothing found": "/push-lists?only=all&q=没有这家",
    "one list": "/push-lists/1",
    "figures": "/bank/figures",
}
FIRST, SECOND = "青云岚川禾谷松石溪泽星辰晨曦远帆", "禾木林泉石舟川海山原野风帆桥岩峰"
FILL = f"""
SET session_replication_role = replica;
INSERT INTO bank (id, code, name, name_en, kind, joined_on)
    SELECT n, 'B' || n, '银行' || n, '', 'city', :from FROM generate_series(1, {BANKS}) n;
INSERT INTO product (id, bank_id, code, version, name, name_en, amount_min_fen, amount_max_fen, term_min_months,
        term_max_months, rate_min, rate_max, loan_types, criteria, places_per_day, reserved_fen, granted_fen, from_on,
        changed_at)
    SELECT 6 * b + k, b, 'P' || k, 1, '产品' || k, '', 1000000, 500000000, 1, 36, 0.03, 0.06, '{{credit}}', '{{}}',
        1000, 0, 0, :from, now() FROM generate_series(1, {BANKS}) b, generate_series(0, 5) k;
INSERT INTO certificate (id, "on", run, is_valid, body, inputs, made_at)
    SELECT d + 1, CAST(:to AS date) - d, 0, true, '{{}}', '{{}}', now() FROM generate_series(0, {YEAR - 1}) d;
INSERT INTO push_list (id, bank_id, "on", number, cause, lines, amount_fen, certificate_id, content_hash, published_at)
    SELECT d * {BANKS} + b, b, CAST(:to AS date) - d, 1, 'morning', 400, 0, d + 1, '', now()
    FROM generate_series(0, {YEAR - 1}) d, generate_series(1, {BANKS}) b;
INSERT INTO firm (uscc, name, kind, district, industry, established_on, status, size_class, employees, wrong_code)
    SELECT '91410100' || lpad(n::text, 10, '0'), '郑州拟' || substr('{FIRST}', 1 + n % 16, 1)
        || substr('{SECOND}', 1 + n / 16 % 16, 1) || '商贸第' || n || '号有限公司', 'enterprise',
        (CAST(:areas AS text[]))[1 + n % 16], 'F52', :from, 'active', 'micro', 8, false
    FROM generate_series(1, :demands) n;
INSERT INTO estimate (id, uscc, as_of, model_version, probability, score, grade, features, vintage, made_at)
    SELECT n, '91410100' || lpad(n::text, 10, '0'), :to, 'm', (n::bigint * 7919 % 1000) / 1000.0, 600 + n % 200,
        (ARRAY['A','B','C','D'])[1 + n % 4], '{{}}', '{{}}', now() FROM generate_series(1, :demands) n;
INSERT INTO verdict (id, demand_id, uscc, district, judged_on, judged_at, cause, facts, findings, light, is_recommended,
        fitting_products, policy_version, policy_hash, estimate_id, content_hash)
    SELECT n, n, '91410100' || lpad(n::text, 10, '0'), (CAST(:areas AS text[]))[1 + n % 16], :to, now(), 'reported',
        '{{}}', '[]', (ARRAY['green','green','yellow','red'])[1 + n % 4], true, 3, '', '', n, ''
    FROM generate_series(1, :demands) n;
INSERT INTO demand (id, number, uscc, district, amount_fen, term_months, use, use_text, guarantees, channel,
        wants_renewal_without_repayment, reported_on, reported_at, version, state, light, light_since_on, verdict_id,
        next_step, next_by, next_on, waits_for_calendar, firm_seen_on)
    SELECT n, '20260630-' || lpad(n::text, 6, '0'), '91410100' || lpad(n::text, 10, '0'),
        (CAST(:areas AS text[]))[1 + n % 16], 100000 * (1 + n::bigint * 7919 % 500), 12, 'working_capital', '', '{{}}',
        'web', false, :from, now(), 1, 'pushed', (ARRAY['green','green','yellow','red'])[1 + n % 4], :from, n, 'answer',
        'bank', :to, false, :from FROM generate_series(1, :demands) n;
INSERT INTO push_line (id, list_id, bank_id, demand_id, uscc, district, product_id, product_version, rank, is_intended,
        amount_fen, reserved_fen, consent_id, pushed_on, state, state_at, due_step, due_on, contact_due_on, paused_days,
        waits_for_calendar, view_closed, closed_on, firm_name, demand_number, light, grade, probability)
    SELECT made.id, (made.id % {YEAR}) * {BANKS} + bank, bank, demand, d.uscc, d.district, 6 * bank + made.id % 6, 1,
        1, made.id % 9 = 0,
        d.amount_fen, 0, 1, CAST(:to AS date) - (made.id % {YEAR})::int,
        CASE WHEN is_open THEN (ARRAY['pushed','received','contacted'])[1 + made.id % 3]
             ELSE (ARRAY['refused','silent','drawn'])[1 + made.id % 3] END, now(),
        CASE WHEN is_open THEN (ARRAY['contact','contact','decision'])[1 + made.id % 3] ELSE 'none' END,
        CASE WHEN is_open THEN CAST(:to AS date) - 2 + (made.id % 30)::int END, :to, 0, false, false,
        CASE WHEN NOT is_open THEN CAST(:to AS date) END, f.name, d.number, d.light, e.grade, e.probability
    FROM (SELECT n AS id, 1 AS bank, 1 + n::bigint * 2 % :demands AS demand, n % 10 = 0 AS is_open
          FROM generate_series(1, :own) n
          UNION ALL SELECT :own + n, 2 + n % {BANKS - 1}, n, n % 10 = 0 FROM generate_series(1, :demands) n) made
    JOIN demand d ON d.id = demand JOIN firm f ON f.uscc = d.uscc JOIN estimate e ON e.id = demand;
INSERT INTO answer (id, line_id, bank_id, kind, reasons, text, papers, channel, answered_on, answered_at)
    SELECT l.id, l.id, l.bank_id, 'received', '{{}}', '', '{{}}', 'api', l.pushed_on + 1, now()
    FROM push_line l WHERE l.bank_id = 1 AND l.state <> 'pushed';
"""


def fill(admin_url: str, demands: int) -> None:
    """The city as it stands, written by the server itself: no trigger or foreign key looks at it."""
    values = {"to": DEMO_DAY, "from": DEMO_DAY - timedelta(days=YEAR), "areas": list(REGIONS), "demands": demands}
    values["own"] = OWN * demands // 330_000
    with psycopg.connect(admin_url, autocommit=True) as admin:
        for statement in FILL.split(";\n"):
            if statement.strip():
                admin.execute(*_bound(statement, values))
        admin.execute("VACUUM ANALYZE")


def _bound(statement: str, values: dict[str, object]) -> tuple[str, dict[str, object]]:
    """`:name` as psycopg writes it; a `%` of the statement's own stays one."""
    written = statement.replace("%", "%%")
    for name in values:
        written = written.replace(f":{name}", f"%({name})s")
    return written, values


def _cpu_ms(folder: Path) -> float:
    """Processor time of this process and of the database under it, ended children included."""
    postmaster = next((folder / "postgres").rglob("postmaster.pid")).read_text().split()[0]
    ticks = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if stat.parent.name == postmaster:
            ticks += sum(map(int, fields[11:15]))
        elif fields[1] == postmaster:
            ticks += sum(map(int, fields[11:13]))
    return 1000 * (time.process_time() + ticks / os.sysconf("SC_CLK_TCK"))


def run(demands: int, runs: int, kept: Path | None) -> dict[str, dict[str, float]]:
    """Page → median and worst milliseconds."""
    folder = kept or Path(tempfile.mkdtemp(prefix="xdb-", dir="/tmp"))
    try:
        settings = read_settings(home=folder, database_url=None, demo=True)
        hand_on(settings)
        known_settings.cache_clear()
        with serving(settings) as address:
            is_new = not (folder / "filled").exists()
            migrate(address.owner_url)
            if is_new:
                fill(address.admin_url, demands)
                (folder / "filled").touch()
            database = use(Database(address))
            found = {}
            with asking(settings, database, Who(Role.OFFICER, name="白", bank_id=1), DEMO_DAY) as officer:
                for path in ("/push-lists", "/push-lists?only=all&sort=firm_name"):
                    officer.measured(path, WARM)
                for name, path in PAGES.items():
                    officer.measured(path, 1)
                    spent = _cpu_ms(folder)
                    times = officer.measured(path, runs)
                    cpu = (_cpu_ms(folder) - spent) / (runs + 1)
                    found[name] = {"median_ms": round(median(times), 1), "cpu_ms": round(cpu, 1)}
            database.dispose()
    finally:
        if kept is None:
            shutil.rmtree(folder, ignore_errors=True)
    return found


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--demands", type=int, default=330_000)
    words.add_argument("--runs", type=int, default=9)
    words.add_argument("--json", type=Path)
    words.add_argument("--keep", type=Path, help="fill this folder once and measure it again next time")
    asked = words.parse_args()
    figures = run(asked.demands, asked.runs, asked.keep)
    table = Table("page", "median, ms", "CPU, ms", title=f"A bank's list among {asked.demands:,} demands")
    for name, one in figures.items():
        table.add_row(name, f"{one['median_ms']:,}", f"{one['cpu_ms']:,}")
    within = all(one["median_ms"] <= BAR_MS for one in figures.values())
    Console().print(table, f"at most {BAR_MS} ms: {within}")
    if asked.json:
        asked.json.write_text(json.dumps(figures, ensure_ascii=False, indent=1))


if __name__ == "__main__":
    main()
