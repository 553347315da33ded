"""`xindeng`: every command of the platform; each is a thin call, and heavy modules are imported where they are used."""

import gc
import json
import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from service.settings import NotReady, read_settings, settings

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="信灯 Xindeng: credit matchmaking between a city's small firms and its banks.",
)
user = typer.Typer(no_args_is_help=True, help="Who may sign in.")
app.add_typer(user, name="user")
model = typer.Typer(no_args_is_help=True, help="Which model estimates, which score beside it, which is to be next.")
app.add_typer(model, name="model")
SELDOM = (100_000, 20, 20)
"""A day's batch makes many objects that stay and hardly a cycle: looking for those as often as Python does by default
takes a tenth of the time (`gc.disable()` gains no more)."""
screen = Console()
complaints = Console(stderr=True)

Json = Annotated[bool, typer.Option("--json", help="Machine-readable, on standard output.")]


@app.command()
def doctor(*, as_json: Json = False) -> None:
    """Say what is connected, which versions, what is missing and what to do; 0 when everything needed is there."""
    from service.doctor import examine, table_of

    findings = examine(settings())
    if as_json:
        sys.stdout.write(json.dumps([finding.to_json() for finding in findings], ensure_ascii=False, indent=1) + "\n")
    else:
        screen.print(table_of(findings, settings().language))
    raise typer.Exit(int(any(finding.is_failure for finding in findings)))


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.")] = None,
    workers: Annotated[int | None, typer.Option(help="Page processes.")] = None,
) -> None:
    """Serve pages and API until told to stop."""
    from service.processes import run_pages

    given = {"host": host, "port": port, "workers": workers}
    run_pages(read_settings(**{name: value for name, value in given.items() if value is not None}))


@app.command()
def work() -> None:
    """Do the queue's jobs, and what the timetable asks for, until told to stop."""
    from service.processes import run_jobs

    run_jobs(settings())


@app.command()
def stop() -> None:
    """End the embedded database, whoever still uses it; nothing committed is lost."""
    from service.store.embedded import EmbeddedServer

    was_running = settings().is_embedded and EmbeddedServer(settings()).stop()
    screen.print("数据库已停止。 The database has stopped." if was_running else "没有在运行。 Nothing was running.")


@app.command()
def migrate(revision: Annotated[str, typer.Argument(help="Where to; an older one downgrades.")] = "head") -> None:
    """Bring the schema up to date, or to a given revision."""
    from service.store import migrate as schema
    from service.store.server import serving

    with serving(settings()) as address:
        schema.migrate(address.owner_url, revision)
    screen.print(f"数据库结构：{revision} Schema: {revision}")


@app.command()
def backup(
    path: Annotated[Path, typer.Argument(help="The archive to write (.tar).")],
    *,
    with_secret: Annotated[
        bool, typer.Option(help="Put the installation's secret in too; guard the file then.")
    ] = False,
) -> None:
    """Write database, models and uploads into one archive."""
    from service.store.backup import back_up

    done = back_up(settings(), path, with_secret=with_secret)
    screen.print(f"已备份 Backed up: {done.files} files, {done.rows} rows, {done.size / 1e6:.1f} MB → {path}")


@app.command()
def restore(
    path: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="An archive written by `xindeng backup`.")],
    *,
    force: Annotated[bool, typer.Option(help="Replace what is there.")] = False,
) -> None:
    """Put an archive back into an empty data folder and database, after checking every checksum."""
    from service.store.backup import put_back

    done = put_back(settings(), path, force=force)
    screen.print(f"已恢复 Restored: {done.files} files, {done.rows} rows ← {path}")


@app.command()
def intake(
    paths: Annotated[list[Path], typer.Argument(help="Feed files, named ITEM__anything.csv, .xlsx or .parquet.")],
    item: Annotated[str | None, typer.Option(help="The catalogue item, where the file's name does not say it.")] = None,
    on: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The day received; today if absent.")
    ] = None,
    *,
    history: Annotated[bool, typer.Option(help="Rows say themselves on which day each was known.")] = False,
) -> None:
    """Take departments' files into the records; rows that cannot be taken are written beside the file."""
    from service.intake_run import take_files

    faults = take_files(settings(), paths, item, on.date() if on else None, screen, is_history=history)
    raise typer.Exit(int(faults > 0))


@app.command()
def train(
    on: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="What was known on this day.")] = None,
    seed: Annotated[int, typer.Option(help="The same seed on one machine gives the same bytes.")] = 7,
    *,
    use: Annotated[bool, typer.Option(help="The first model of a platform goes into use at once.")] = True,
) -> None:
    """Train the model of default on the loans and records the city holds; it becomes a candidate."""
    from service.actions.train_model import register_model, train_model, use_first_model
    from service.clock import Clock
    from service.domain.people import the_platform
    from service.processes import open_database

    clock, who = Clock(settings().demo_on), the_platform("cli")
    with open_database(settings()) as database:
        trained = train_model(settings(), on.date() if on else clock.today(), seed)
        with database.transaction(who) as tx:
            if use and use_first_model(tx, who, trained, clock.now()):
                screen.print(f"已启用 In use: {trained.version}")
            else:
                row = register_model(tx, who, trained, clock.now())
                screen.print(f"{row.state}: {trained.version}; xindeng model shadow | promote {trained.version}")
    screen.print(f"模型 Model: {settings().models / trained.version / 'card.md'}")


@model.command("list")
def model_list(*, as_json: Json = False) -> None:
    """Every model with its state, the day of its knowledge, how it was measured; and the proposal that waits."""
    from service.actions.train_model import register_kept
    from service.clock import Clock
    from service.domain.people import the_platform
    from service.model_table import documents, table_of
    from service.processes import open_database
    from service.store import models

    who = the_platform("cli")
    with open_database(settings()) as database, database.transaction(who) as tx:
        register_kept(tx, who, settings(), Clock(settings().demo_on).now())
        rows, waiting = models.list_all(tx), models.find_waiting(tx)
    if as_json:
        sys.stdout.write(json.dumps(documents(rows, waiting), ensure_ascii=False, indent=1, default=str) + "\n")
    else:
        screen.print(table_of(rows, waiting))


@model.command("shadow")
def model_shadow(
    version: Annotated[str, typer.Argument(help="As `xindeng model list` names it.")],
    since: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Demands judged from this day on; today if absent.")
    ] = None,
    *,
    stop_it: Annotated[bool, typer.Option("--stop", help="End it; what was scored stays.")] = False,
) -> None:
    """Let a model score every judged demand beside the one in use; no light changes by it."""
    from service.actions.shadow_models import start_shadow, stop_shadow
    from service.clock import Clock
    from service.domain.people import the_platform
    from service.processes import open_database

    clock, who = Clock(settings().demo_on), the_platform("cli")
    first = since.date() if since else None
    with open_database(settings()) as database, database.transaction(who) as tx:
        if stop_it:
            stop_shadow(tx, who, version, clock.now())
            screen.print(f"不再作影子 No longer a shadow: {version}")
        else:
            day = start_shadow(tx, who, settings().models, version, first, clock.today(), clock.now())
            screen.print(f"影子 Shadow: {version}, {day} 起的需求 demands judged since")


@model.command("promote")
def model_promote(
    version: Annotated[str, typer.Argument(help="As `xindeng model list` names it.")],
    by: Annotated[str, typer.Option(help="Your login: an operator's. The second person gives another one.")],
    because: Annotated[str, typer.Option(help="Why, in one sentence; the second person needs none.")] = "",
    *,
    withdraw: Annotated[bool, typer.Option(help="Take the waiting proposal back instead.")] = False,
) -> None:
    """Propose a model for use; called again by another operator it confirms, and the model is in use."""
    from service.actions.promote_model import operator_named, promote_model, withdraw_waiting
    from service.clock import Clock
    from service.domain.people import the_platform
    from service.processes import open_database

    clock = Clock(settings().demo_on)
    with open_database(settings()) as database:
        with database.transaction(the_platform("cli")) as tx:
            who = operator_named(tx, by, clock.today())
        with database.transaction(who) as tx:
            if withdraw:
                withdraw_waiting(tx, who, version, clock.now())
                said = f"已撤回 Withdrawn: {version}"
            else:
                done = promote_model(tx, who, settings().models, version, because, clock.today(), clock.now())
                waits = f"已提议，最迟 {done.until_on} 由另一人确认 Proposed; another operator confirms by then:"
                said = f"{waits if done.step == 'proposed' else '已启用 In use:'} {version}"
    screen.print(said)


@app.command()
def cycle(
    on: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The day; today if absent.")] = None,
) -> None:
    """Do what a day still lacks: judge, expire, count silence, share out, publish, remind. Twice is once."""
    from service.actions.run_cycle import run_cycle
    from service.clock import Clock, instant_on
    from service.processes import open_database

    clock = Clock(settings().demo_on)
    day = on.date() if on else clock.today()
    now = clock.now() if day == clock.today() else instant_on(day)
    with open_database(settings()):
        ran = run_cycle(settings(), day, now, told=lambda step, said: screen.print(f"{step:>10}  {said}"))
    screen.print(f"{day}: {ran.state}. {ran.message}")
    raise typer.Exit(int(ran.state != "done"))


@app.command()
def certify(
    on: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The day; today if absent.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="Where to write the JSON; certificates/DATE.json in the data folder if absent.")
    ] = None,
    *,
    as_json: Json = False,
) -> None:
    """Check a day's published lists anew, from the database alone and without the solver; 1 on any breach."""
    from service.actions.certify_day import certify_day
    from service.certified_table import table_of
    from service.clock import Clock
    from service.domain.people import the_platform
    from service.processes import open_database

    day = on.date() if on else Clock(settings().demo_on).today()
    who = the_platform("certify")
    with open_database(settings()) as database, database.transaction(who) as tx:
        checked = certify_day(tx, who, day)
    written = json.dumps(checked.document(), ensure_ascii=False, indent=1) + "\n"
    path = out or settings().make_home() / "certificates" / f"{day}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(written, "utf-8")
    if as_json:
        sys.stdout.write(written)
    else:
        screen.print(table_of(checked) if checked.runs else f"{day} 没有推送清单。 No lists were published.")
        for breach in checked.breaches:
            complaints.print(breach, style="red", markup=False, highlight=False)
        screen.print(f"{'有违反 Breaches' if checked.breaches else '全部通过 All rules kept'} → {path}")
    raise typer.Exit(int(bool(checked.breaches)))


@app.command()
def rehearse(
    policy: Annotated[Path, typer.Option(exists=True, dir_okay=False, help="The policy file to try.")],
    since: Annotated[datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="The first day of history.")],
    until: Annotated[datetime, typer.Option("--to", formats=["%Y-%m-%d"], help="The last day.")],
    lines_of: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%d"], help="Hold the file's lines of this day on all days; each day's own if absent"
        ),
    ] = None,
    *,
    as_json: Json = False,
) -> None:
    """Replay stored verdicts and lists under the policy in use, then under the file's lines; 1 if history differs."""
    from rich.progress import Progress

    from matching.policy import load_policy
    from service.actions.rehearse_policy import Wish, ask_rehearsal, done_or_refused, reproduces, run_rehearsal
    from service.clock import Clock
    from service.domain.people import the_platform
    from service.processes import open_database
    from service.rehearsal_table import OPEN_LOOP, replayed, tables_of

    clock, who = Clock(settings().demo_on), the_platform("cli")
    held_on = lines_of.date() if lines_of else None
    wish = Wish(policy.name, policy.read_bytes(), since.date(), until.date(), held_on)
    with open_database(settings()) as database:
        with database.transaction(who) as tx:
            live = load_policy(settings().policy)
            key = ask_rehearsal(tx, who, wish, live, clock.today(), clock.now())
        with Progress(console=complaints, transient=True) as shown:
            bar = shown.add_task("预演 Rehearsing", total=None)
            state = run_rehearsal(settings(), key, lambda done, days: shown.update(bar, completed=done, total=days))
        with database.transaction(who) as tx:
            found = done_or_refused(tx, key)
    if as_json:
        sys.stdout.write(json.dumps(found, ensure_ascii=False, indent=1) + "\n")
    else:
        for table in tables_of(found):
            screen.print(table)
        if found["same_lines"]:
            screen.print("在这些日子里，两份政策的口径相同。 Both policies ask for the same on these days.")
        screen.print(OPEN_LOOP)
    for sentence, is_well in replayed(found):
        complaints.print(sentence, style=None if is_well else "red", markup=False, highlight=False)
    complaints.print(f"{state}: #{key}", highlight=False)
    raise typer.Exit(int(not reproduces(found)))


@app.command()
def mirror(
    *,
    rebuild: Annotated[
        bool, typer.Option(help="Write it anew from the database, after a restore for example.")
    ] = False,
) -> None:
    """Compare the Parquet mirror of the records with the database, by checksum; or write it anew."""
    from service.domain.people import the_platform
    from service.intake.mirror import rebuild_mirror, verify_mirror
    from service.processes import open_database

    with open_database(settings()) as database, database.transaction(the_platform("mirror")) as tx:
        if rebuild:
            rebuild_mirror(tx, settings().mirror)
        differences = verify_mirror(tx, settings().mirror)
    for difference in differences:
        screen.print(str(difference), style="red")
    screen.print("镜像与数据库一致。 The mirror equals the database." if not differences else "--rebuild?")
    raise typer.Exit(int(bool(differences)))


@user.command("add")
def user_add(
    login: Annotated[str, typer.Argument(help="The name to sign in with.")],
    role: Annotated[str, typer.Option(help="firm, officer, bank_admin, district, city or operator")],
    name: Annotated[str, typer.Option(help="The person's name.")],
    uscc: Annotated[str | None, typer.Option(help="For a firm: its unified social credit code.")] = None,
    bank: Annotated[str | None, typer.Option(help="For an officer or bank admin: the bank's code.")] = None,
    district: Annotated[str | None, typer.Option(help="For a district team: its code, such as 410105.")] = None,
    password: Annotated[
        str,
        typer.Option(prompt="密码 Password", hide_input=True, confirmation_prompt=True, help="Asked for if absent."),
    ] = "",
) -> None:
    """Let a person sign in, as one role."""
    from service.actions.add_account import NewAccount, add_account
    from service.clock import Clock
    from service.domain.people import the_platform
    from service.processes import open_database

    account = NewAccount(login, name, role, password, uscc=uscc, bank=bank, district=district)
    with open_database(settings()) as database, database.transaction(the_platform("cli")) as tx:
        add_account(tx, the_platform("cli"), account, Clock(settings().demo_on).now())
    screen.print(f"已添加 Added: {login} ({role})")


@app.command()
def demo(
    firms: Annotated[int, typer.Option(min=100, max=200_000, help="Firms of the synthetic city.")] = 20_000,
    days: Annotated[int, typer.Option(min=1, max=180, help="Days it lives; the last is 2026-06-30.")] = 60,
    seed: Annotated[int, typer.Option(help="The same seed, the same city.")] = 7,
    real: Annotated[
        Path | None, typer.Option(exists=True, file_okay=False, help="Real invoices instead: the folder cumcm2020c.")
    ] = None,
    json_to: Annotated[Path | None, typer.Option("--json", help="Also write the summary here.")] = None,
    *,
    serve_it: Annotated[bool, typer.Option("--serve/--no-serve", help="Serve pages and jobs afterwards.")] = True,
    fresh: Annotated[bool, typer.Option(help="Build it anew even where this very demo stands.")] = False,
) -> None:
    """Build a demo in a place of its own, say what came of it, and serve it."""
    from service.city.curtain import refuse_given_roles, show
    from service.city.demo import Plan, run_demo
    from service.city.real import run_real

    refuse_given_roles(settings())
    if real is None:
        place, summary = run_demo(settings(), Plan(firms, days, seed), screen, fresh=fresh)
    else:
        place, summary = run_real(settings(), real.resolve(), screen)
    if json_to is not None:
        json_to.write_text(json.dumps(summary, ensure_ascii=False, indent=1, default=str) + "\n", "utf-8")
    if serve_it:
        show(place, screen)


def main() -> None:
    """Run a command; what can be wrong ends in one red sentence and exit code 1."""
    gc.set_threshold(*SELDOM)
    try:
        app()
    except NotReady as wrong:
        sentence = f"{wrong.zh}\n{wrong.en}"
    except Exception as wrong:
        from service.domain.errors import DomainError

        if not isinstance(wrong, DomainError):
            raise
        sentence = str(wrong)
    complaints.print(sentence, style="red", markup=False, highlight=False)
    sys.exit(1)


if __name__ == "__main__":
    main()
