"""The operator's pages: health, feeds, jobs, calendar, people, trail and model, each empty, full and refused."""

import re
from datetime import date

import pytest
from sqlalchemy import text

from service.actions.look_after_jobs import pause_cycle, retry_job
from service.actions.push_lists import push_missing
from service.actions.run_cycle import run_cycle
from service.actions.verify_trail import verify_chains
from service.clock import Clock
from service.domain.errors import Conflict, NotAllowed, NotFound
from service.domain.people import Role, Who, the_platform
from service.store import job_list, runs
from tests.browser import Browser, Page, an_app
from tests.builders import CITY, FANG, GAO, NOW, PLATFORM, TODAY, a_demand, a_small_world, bai, rows_of
from web.main import build_app
from web.run_words import COUNTED, said

OTTO = Who(Role.OPERATOR, 9, "欧")
ADDRESSES = (
    "/operator",
    "/operator/feeds",
    "/operator/feeds/departments",
    "/operator/jobs",
    "/operator/cycle",
    "/operator/calendar",
    "/operator/people",
    "/operator/trail",
    "/operator/trail/chains",
    "/operator/models",
)
GOOD = "uscc,period,tax,amount,days_late,status\n" + f"{FANG},2026-03,vat,100.50,0,on_time\n"
MIXED = GOOD + f"{FANG},2026-04,vat,很多,0,on_time\n91410199MA000001,2026-04,vat,5,0,on_time\n"


@pytest.fixture
def app(database, settings):
    return an_app(settings, database, Clock(demo_on=TODAY))


@pytest.fixture
def otto(app, database) -> Browser:
    return Browser(app, database, OTTO)


@pytest.fixture
def world(database):
    """Fang named both banks; the morning's lists are out."""
    with database.transaction(the_platform("test")) as tx:
        made = a_small_world(tx)
        a_demand(tx, FANG, (made.bank, made.other_bank), made.tools)
        push_missing(tx, PLATFORM, TODAY, NOW, made.tools)
    return made


def rows(database, table: str, **where) -> list:
    with database.transaction(the_platform("test")) as tx:
        return rows_of(tx, table, **where)


def does(database, statement: str, **values) -> None:
    with database.transaction(the_platform("test")) as tx:
        tx.execute(text(statement), values)


def a_job(database, status: str, task: str = "today") -> int:
    with database.transaction(the_platform("test")) as tx:
        return tx.execute(
            text(
                "INSERT INTO procrastinate_jobs (queue_name, task_name, status, queueing_lock) VALUES ('default',"
                " CAST(:task AS text), CAST(:status AS procrastinate_job_status), CAST(:task AS text)) RETURNING id"
            ),
            {"task": task, "status": status},
        ).scalar_one()


def a_run(database, state: str = "running", message: str = "") -> int:
    with database.transaction(the_platform("test")) as tx:
        key = runs.start(tx, "today", TODAY, 7, NOW)
        if state != "running":
            runs.end(tx, key, state, message, NOW)
        return key


def uploads(otto: Browser, name: str, content: bytes, **fields: str) -> Page:
    form = otto.opens("/operator/feeds").form("/operator/feeds")["fields"]
    data = {key: values[0] for key, values in form.items()} | fields
    files = {"file": (name, content)} if name else {}
    otto.page = Page(otto.client.post("/operator/feeds", data=data, files=files or {"none": b""}))
    return otto.page


def trail_of(database, noun: str) -> list[tuple[str, str]]:
    return [(entry["actor"], entry["verb"]) for entry in rows(database, "trail", noun=noun)]


@pytest.mark.parametrize("address", ADDRESSES)
def test_every_page_opens_on_an_empty_platform_and_only_for_the_operator(app, database, otto, address) -> None:
    assert otto.opens(address).status == 200
    for who in (GAO, CITY):
        assert Browser(app, database, who).opens(address).status == 403
    assert Browser(app, database).opens(address).address == "/sign-in"


def test_an_empty_platform_says_what_is_missing_and_what_stands_in_for_redis(otto) -> None:
    page = otto.opens("/operator")
    assert "没有在工作的任务进程" in page.words
    assert "还没有启用模型" in page.words
    assert "从未收到的目录项" in page.words
    assert "进程内替代" in page.words
    assert "xindeng work" in page.words


def test_a_source_older_than_its_limit_is_marked_stale_and_comes_first(otto, database) -> None:
    does(database, "INSERT INTO source_day (item, first_on, latest_on) VALUES ('permit', '2024-01-01', '2026-01-01')")
    does(database, "INSERT INTO source_day (item, first_on, latest_on) VALUES ('honour', '2024-01-01', '2026-06-29')")
    page = otto.opens("/operator")
    assert "数据过期的目录项" in page.words
    assert page.words.index("行政许可") < page.words.index("诚实守信荣誉")
    assert "180 天前" in page.words


def test_a_good_file_is_taken_and_its_page_says_what_became_of_every_row(otto, database) -> None:
    page = uploads(otto, "tax_payment__2026-06.csv", MIXED.encode())
    (feed,) = rows(database, "feed")
    assert page.address == f"/operator/feeds/{feed['id']}"
    assert "共 3 行：采用 1 行，重复 0 行，退回 2 行" in page.words
    assert "金额不对" in page.words
    assert "很多" in page.words
    assert feed["taken_by"] == "欧"
    assert trail_of(database, "feed")[0] == ("operator", "take")


def test_the_error_file_returns_the_bad_rows_with_reasons(otto, database) -> None:
    uploads(otto, "tax_payment__2026-06.csv", MIXED.encode())
    (feed,) = rows(database, "feed")
    answer = otto.client.get(f"/operator/feeds/{feed['id']}/errors.csv")
    assert answer.headers["content-disposition"].endswith(f'tax_payment-{feed["id"]}-errors.csv"')
    lines = answer.text.splitlines()
    assert len(lines) == 3
    assert "很多" in lines[1]
    assert ("operator", "looked") in trail_of(database, "feed")


def test_the_same_file_twice_changes_nothing_and_says_so(otto, database) -> None:
    uploads(otto, "tax_payment__2026-06.csv", GOOD.encode())
    page = uploads(otto, "tax_payment__again.csv", GOOD.encode())
    assert "同一份文件已经接收过" in page.words
    assert len(rows(database, "feed")) == 1
    assert len(rows(database, "record")) == 1


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("", b"", "请选择文件"),
        ("tax_payment__x.csv", b"", "文件是空的"),
        ("tax_payment__x.csv", b"uscc,period,tax,amount,days_late,status\n", "没有数据行"),
        ("tax_payment__x.csv", b"uscc,colour\n1,red\n", "colour"),
        ("no_such_item__x.csv", b"a\n1\n", "no_such_item"),
        ("notes.csv", b"a\n1\n", "应以目录项编号开头"),
        ("tax_payment__x.pdf", b"%PDF-1.4", "不支持"),
        ("tax_payment__x.xlsx", b"this is no workbook", "不是有效的 XLSX"),
    ],
)
def test_a_file_that_cannot_be_taken_is_explained_beside_its_field(otto, database, name, content, message) -> None:
    page = uploads(otto, name, content)
    assert page.status == 422
    assert message in page.words
    assert 'id="file-error"' in page.html
    assert rows(database, "record") == []


def test_a_file_that_failed_as_a_whole_leaves_a_trace_the_operator_can_open(otto, database) -> None:
    page = uploads(otto, "tax_payment__x.csv", b"uscc,colour\n1,red\n")
    (feed,) = rows(database, "feed")
    assert f"/operator/feeds/{feed['id']}" in page.links
    assert "没有接收" in otto.opens(f"/operator/feeds/{feed['id']}").words


def test_a_file_over_the_limit_is_refused_and_nothing_is_kept(app, otto, database, settings) -> None:
    small = settings.model_copy(update={"upload_limit_mb": 1})
    tight = Browser(build_app(small, database, Clock(demo_on=TODAY)), database, OTTO)
    page = uploads(tight, "tax_payment__x.csv", GOOD.encode() + b"\n" * (1 << 20))
    assert page.status == 422
    assert "文件超过 1 MB" in page.words
    assert uploads(tight, "tax_payment__x.csv", b"\n" * (5 << 20)).status == 413
    assert rows(database, "feed") == []


def test_feeds_are_found_by_item_and_by_what_became_of_them(otto) -> None:
    uploads(otto, "tax_payment__2026-06.csv", MIXED.encode())
    uploads(otto, "tax_payment__bad.csv", b"uscc,colour\n1,red\n")
    there = {"state=failed": 1, "state=quarantined": 1, "item=tax_payment": 2, "item=honour": 0, "sort=;--&state=x": 2}
    for query, count in there.items():
        page = otto.opens(f"/operator/feeds?{query}")
        assert page.status == 200, query
        assert sum(link.startswith("/operator/feeds/") and link[-1].isdigit() for link in page.links) == count, query


def test_each_department_s_month_is_shown_with_its_shares(otto) -> None:
    uploads(otto, "tax_payment__2026-06.csv", MIXED.encode())
    page = otto.opens("/operator/feeds/departments")
    assert "税务局 2026-06" in page.words
    assert "33.3%" in page.words
    assert "没有部门报送" in otto.opens("/operator/feeds/departments?since=2020-01-01&until=2020-02-01").words


def test_the_day_s_work_is_asked_for_once(otto, database) -> None:
    otto.opens("/operator/jobs")
    assert "已排队" in otto.sends("/operator/runs").words
    assert "已经在排队" in otto.sends("/operator/runs").words
    assert len(rows(database, "procrastinate_jobs")) == 1
    assert trail_of(database, "job") == [("operator", "asked_for")]


def test_a_failed_job_is_shown_and_tried_again(otto, database) -> None:
    key = a_job(database, "failed")
    assert "失败的任务" in otto.opens("/operator").words
    page = otto.opens("/operator/jobs?state=failed")
    assert "今天还缺什么就补什么" in page.words
    assert "已重新排队" in otto.sends(f"/operator/jobs/{key}/retry").words
    assert rows(database, "procrastinate_jobs")[0]["status"] == "todo"
    assert trail_of(database, "job") == [("operator", "retried")]


def test_a_job_says_what_it_was_given_what_became_of_it_and_what_went_wrong(otto, database) -> None:
    key = a_job(database, "failed")
    with database.transaction(the_platform("test")) as tx:
        job_list.add_fault(tx, key, 1, ValueError("磁盘已满"), NOW)
    otto.opens("/operator/jobs?state=failed")
    page = otto.opens(f"/operator/jobs/{key}")
    for words in ("今天还缺什么就补什么", "失败", "第 1 次", "ValueError: 磁盘已满", "重试"):
        assert words in page.words
    assert "没有记下错误" in otto.opens(f"/operator/jobs/{a_job(database, 'succeeded')}").words
    assert otto.opens("/operator/jobs/999999").status == 404


def test_the_doctor_looks_at_the_platform_that_answers(otto, monkeypatch) -> None:
    page = otto.opens("/operator/doctor")
    for words in ("PostgreSQL ≥ 15", "Redis", "WeasyPrint", "必需的都在"):
        assert words in page.words
    monkeypatch.setattr("service.doctor.LEAST_FREE", 1 << 60)
    page = otto.opens("/operator/doctor")
    assert "1 项必需的缺失" in page.words
    assert "请腾出磁盘空间" in page.words


def test_a_job_whose_worker_is_silent_counts_as_stalled_and_is_tried_again(otto, database) -> None:
    key = a_job(database, "doing")
    page = otto.opens("/operator/jobs?state=stalled")
    assert f"#{key}" in page.words
    otto.sends(f"/operator/jobs/{key}/retry")
    assert rows(database, "procrastinate_jobs")[0]["status"] == "todo"


def test_a_job_is_not_tried_again_where_it_need_not_or_cannot_be(database) -> None:
    done, failed = a_job(database, "succeeded"), a_job(database, "failed")
    a_job(database, "todo")
    with database.transaction(OTTO) as tx:
        for key, error in ((done, Conflict), (failed, Conflict), (999, NotFound)):
            with pytest.raises(error):
                retry_job(tx, OTTO, key, 20, NOW)
        with pytest.raises(NotAllowed):
            retry_job(tx, CITY, failed, 20, NOW)
    assert rows(database, "trail") == []


def test_a_worker_that_gives_signs_of_life_is_counted(otto, database) -> None:
    does(database, "INSERT INTO procrastinate_workers DEFAULT VALUES")
    assert "没有在工作的任务进程" not in otto.opens("/operator").words
    with database.transaction(OTTO) as tx:
        assert job_list.workers(tx, 20) == 1


def test_a_run_shows_its_progress_and_stops_when_asked(otto, database) -> None:
    key = a_run(database)
    page = otto.opens(f"/operator/runs/{key}")
    assert "0 / 7" in page.words
    assert 'hx-trigger="every 2s"' in page.html
    part = otto.client.get(f"/operator/runs/{key}", headers={"hx-request": "true"})
    assert "<html" not in part.text
    assert 'id="progress"' in part.text
    assert "已要求停止" in otto.sends(f"/operator/runs/{key}/cancellation").words
    assert rows(database, "run")[0]["cancel_asked"]
    assert trail_of(database, "run") == [("operator", "stopped")]


def test_a_run_that_ended_cannot_be_stopped_and_one_that_never_was_is_not_there(otto, database) -> None:
    running = a_run(database)
    otto.opens(f"/operator/runs/{running}")
    does(database, "UPDATE run SET state = 'failed', message = 'push: no more places'")
    assert otto.sends(f"/operator/runs/{running}/cancellation").status == 409
    page = otto.opens("/operator")
    assert "最近一次每日流程失败" in page.words
    assert "匹配和推送：no more places" in page.words
    assert otto.opens("/operator/runs/999").status == 404


def test_the_cycle_is_paused_and_resumed_once_each_with_a_trail(otto, database) -> None:
    otto.opens("/operator/cycle")
    page = otto.sends("/operator/cycle/pause")
    assert "每日流程已暂停" in page.words
    assert "每日流程已暂停" in otto.opens("/operator").words
    with database.transaction(OTTO) as tx:
        assert runs.is_paused(tx)
        assert not pause_cycle(tx, OTTO, NOW, paused=True)
    otto.opens("/operator/jobs")
    assert "已恢复每日流程" in otto.sends("/operator/cycle/resumption").words
    assert trail_of(database, "cycle") == [("operator", "paused"), ("operator", "resumed")]


def test_only_the_operator_pauses_the_cycle(database) -> None:
    for who in (CITY, GAO, bai(1)):
        with database.transaction(who) as tx, pytest.raises(NotAllowed):
            pause_cycle(tx, who, NOW, paused=True)


def test_what_a_run_counted_is_said_in_words() -> None:
    assert said("13 judged; 0 expired, 2 warned; 0 silent") == "评判 13 笔，提醒即将到期 2 笔"
    assert said("0 judged; 0 silent") == "没有要做的事"
    assert said("cancelled after: judge") == "取消前完成到：评判"
    assert said("push: 8 lists, 9 lines") == "匹配和推送：清单 8 份，推送 9 项"
    assert said("something new") == "something new"


def test_whatever_the_days_work_counts_has_words(settings, world) -> None:
    counted: list[str] = []
    run_cycle(settings, TODAY, NOW, told=lambda _step, message: counted.extend(re.findall(r"\d+ ([a-z ]+)", message)))
    assert len(counted) > 8
    assert set(counted) - set(COUNTED) == set()


def test_ticked_days_are_set_and_the_month_shows_them(otto, database) -> None:
    otto.opens("/operator/calendar?month=2026-07")
    page = otto.sends("/operator/calendar", day=["2026-07-01", "2026-07-02"], works="free", note="暴雨停工")
    assert page.address == "/operator/calendar"
    assert "已设置 2 天" in page.words
    assert "暴雨停工" in page.words
    assert "自定" in page.words
    assert [(row["on"], row["is_working"]) for row in rows(database, "calendar_day")] == [
        (date(2026, 7, 1), False),
        (date(2026, 7, 2), False),
    ]
    assert trail_of(database, "calendar") == [("operator", "set")]


def test_a_year_nobody_has_published_is_entered_as_one_span(otto, database) -> None:
    assert "未公布" in otto.opens("/operator/calendar?month=2027-02").words
    otto.sends("/operator/calendar", since_on="2027-01-01", until_on="2027-12-31", works="week")
    days = {row["on"]: row["is_working"] for row in rows(database, "calendar_day")}
    assert len(days) == 365
    assert (days[date(2027, 2, 5)], days[date(2027, 2, 6)]) == (True, False)
    assert "未公布" not in otto.opens("/operator/calendar?month=2027-02").words


def test_days_that_cannot_be_set_are_explained_and_kept(otto, database) -> None:
    otto.opens("/operator/calendar?month=2026-07")
    assert "请勾选日子" in otto.sends("/operator/calendar", works="free").words
    otto.opens("/operator/calendar?month=2026-07")
    page = otto.sends("/operator/calendar", since_on="2026-07-02", until_on="2026-07-01", works="free", note="甲")
    assert page.status == 422
    assert "结束日不能早于开始日" in page.words
    assert 'value="甲"' in page.html
    otto.opens("/operator/calendar?month=2026-07")
    assert "请选择算作上班还是休息" in otto.sends("/operator/calendar", day=["2026-07-01"]).words
    assert rows(database, "calendar_day") == []
    assert otto.opens("/operator/calendar?month=nonsense").status == 200


def test_lines_that_wait_for_the_calendar_are_counted(otto, database, world) -> None:
    assert "没有推送项在等待" in otto.opens("/operator/calendar").words
    does(database, "UPDATE push_line SET waits_for_calendar = true")
    assert "2 个推送项的时限等待日历公布" in otto.opens("/operator/calendar").words
    assert "时限等待日历公布" in otto.opens("/operator").words


def test_an_account_is_added_for_whom_it_acts_and_ended_after_a_question(otto, database, world) -> None:
    otto.opens("/operator/people")
    page = otto.sends(
        "/operator/people", login="xiaobai", name="小白", role="officer", bank="BAI", password="long enough 9 words"
    )
    assert "已添加小白" in page.words
    (member,) = rows(database, "membership", role="officer")
    assert member["bank_id"] == world.bank
    page = otto.opens(f"/operator/people/{member['id']}/end")
    assert "小白" in page.words
    assert "已停用" in otto.sends(f"/operator/people/{member['id']}/end").words
    assert rows(database, "membership", role="officer")[0]["until_on"] == TODAY


def test_an_account_without_its_scope_or_with_a_taken_login_comes_back_with_the_form(otto, world) -> None:
    good = {"login": "xiaobai", "name": "小白", "role": "officer", "bank": "BAI", "password": "long enough 9 words"}
    wrong = {
        "银行身份请选银行": {"bank": ""},
        "区县专班请选区县": {"role": "district"},
        "企业身份请填信用代码": {"role": "firm"},
        "请填写登录名": {"login": ""},
    }
    for message, change in wrong.items():
        otto.opens("/operator/people")
        page = otto.sends("/operator/people", **{**good, **change})
        assert page.status == 422, message
        assert message in page.words
    otto.opens("/operator/people")
    otto.sends("/operator/people", **good)
    otto.opens("/operator/people")
    assert "已有人使用" in otto.sends("/operator/people", **good).words


def test_the_operator_cannot_end_their_own_role_and_a_stranger_s_is_not_there(otto, database) -> None:
    (mine,) = rows(database, "membership", role="operator")
    otto.opens(f"/operator/people/{mine['id']}/end")
    assert otto.sends(f"/operator/people/{mine['id']}/end").status == 422
    assert otto.opens("/operator/people/999/end").status == 404


def test_people_are_found_by_name_and_role(otto) -> None:
    assert "operator-city-欧" in otto.opens("/operator/people?q=欧").words
    assert "没有符合条件的人员" in otto.opens("/operator/people?q=没有这个人").words
    assert "没有符合条件的人员" in otto.opens("/operator/people?role=officer").words


def test_the_trail_is_searched_by_firm_demand_bank_and_verb(otto, database, world) -> None:
    (demand,) = rows(database, "demand")
    there = {
        "": True,
        f"q={FANG}": True,
        f"q={demand['number']}": True,
        "q=D-none": False,
        f"bank={world.bank}&verb=pushed": True,
        "bank=999": False,
        "verb=lapsed": False,
        "since=2020-01-01&until=2020-02-01": False,
        "page=7&sort=%27": False,
    }
    for query, found in there.items():
        page = otto.opens(f"/operator/trail?{query}")
        assert page.status == 200, query
        assert ("推送项 #" in page.words or "需求 #" in page.words) is found, query


def test_a_search_for_a_firm_is_itself_on_the_trail(otto, database, world) -> None:
    otto.opens(f"/operator/trail?q={FANG}")
    looked = [entry for entry in rows(database, "trail", verb="looked") if entry["noun"] == "trail"]
    assert [entry["uscc"] for entry in looked] == [FANG]


def test_a_sound_day_is_verified_and_so_said(otto, database, world) -> None:
    page = otto.opens("/operator/trail/chains")
    assert f"{TODAY}/bank-{world.bank}" in page.words
    page = otto.sends("/operator/trail/chains", day=TODAY.isoformat(), chain="")
    assert "全部完好" in page.words
    assert trail_of(database, "trail") == [("operator", "verified")]


def owner_changes(reused, statement: str) -> None:
    import psycopg

    with psycopg.connect(reused.admin_url, autocommit=True) as admin:
        admin.execute(statement)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("UPDATE trail SET new = 'drawn' WHERE verb = 'pushed' AND noun = 'push_line'", "号记录起不符"),
        ("DELETE FROM trail t WHERE id = (SELECT max(id) FROM trail WHERE chain = t.chain)", "条数或链尾不符"),
        ("DELETE FROM trail WHERE chain LIKE '%/bank-%'", "条数或链尾不符"),
    ],
)
def test_a_changed_a_cut_and_an_emptied_chain_show(otto, database, reused, world, change, told) -> None:
    owner_changes(reused, change)
    chain = f"{TODAY}/bank-{world.bank}"
    otto.opens("/operator/trail/chains")
    page = otto.sends("/operator/trail/chains", chain=chain, day="")
    assert told in page.words
    assert "不完好" in page.words
    assert rows(database, "trail", verb="verified")[0]["new"] == "broken"


def test_only_those_who_oversee_verify_and_a_chain_nobody_began_is_not_there(database, world) -> None:
    with database.transaction(GAO) as tx, pytest.raises(NotAllowed):
        verify_chains(tx, GAO, [f"{TODAY}/city"], NOW)
    with database.transaction(OTTO) as tx, pytest.raises(NotFound):
        verify_chains(tx, OTTO, ["2020-01-01/city"], NOW)
