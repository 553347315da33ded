"""The main job on firms nobody here invented: real invoices in; lights, a list within its quota, its certificate out.

As of 2020-02-21, the files' last day. Only invoices are known: the run's own policy names what it cannot judge, and
nothing outside the files is made up. See `cumcm` for the files.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from matching.policy import INVOICES_POLICY_FILE, load_policy
from service.actions.admit_bank import BankForm, admit_bank
from service.actions.enter_firms import enter_firms
from service.actions.give_consent import ConsentForm
from service.actions.offer_product import ProductForm, offer_product
from service.actions.push_lists import push_missing
from service.actions.report_demand import ReportForm, report_demands
from service.actions.take_feed import Delivery, take_feed
from service.actions.train_model import keep, use_model
from service.city.cast import Card, add_cast
from service.city.cumcm import Source, read_firms, totals_of, write_feeds
from service.city.opening import ALL_CLASSES, DEMO
from service.city.stage import demo_settings, fresh_database, keep_summary, write_marker
from service.city.watch import Watch, peak_megabytes
from service.clock import instant_on
from service.domain.consent import Purpose
from service.domain.demand import UseOfLoan
from service.domain.people import Role
from service.domain.product import LoanType
from service.domain.standards.money import to_yuan
from service.profiles.tools import load_tools
from service.settings import Settings
from service.store import demo as looks
from service.store.database import Database

if TYPE_CHECKING:
    import pandas as pd

    from risk.model import RiskModel

DAY = date(2020, 2, 21)
LEAST_FEN, MOST_FEN = 10_000_000, 100_000_000  # 100,000 and 1,000,000 yuan
QUOTA_FEN = 10_000_000_000  # 100 million yuan
RATES = (Decimal("0.04"), Decimal("0.15"))
TERM_MONTHS = 12
REPEATS = 5
CONSENT = "本次运行为公开竞赛数据的演示：按规则代 302 家企业生成申请与授权，并非企业本人的意思表示。"
NO_DATES = (
    "n = 123，违约没有日期，无法按时间外推检验；AUC 由重复嵌套分层交叉验证得出，不是对未来的承诺。"
    " n = 123 and defaults carry no dates: no out-of-time claim is made, the AUC is by repeated nested stratified CV."
)
Totals = Mapping[tuple[str, str, str], tuple[int, int]]


def run_real(known: Settings, folder: Path, console: Console) -> tuple[Settings, dict[str, Any]]:
    """Build the run from the files and say what came out; the settings under which it can be served."""
    settings = demo_settings(known, "real", DAY, INVOICES_POLICY_FILE)
    plan = {"real": str(folder.name)}
    write_marker(settings, plan, finished=False)
    with Watch(console) as watch, fresh_database(settings) as database:
        with watch.phase("read the firms"):
            source = read_firms(folder)
        totals = _take(database, settings, folder, source, watch)
        with watch.phase("features and model"):
            frame = _features(settings, source)
            model = _learn(settings, source, frame)
        with watch.phase("demands, judged"):
            bank_id = _open(database, source, model)
            _report(database, settings, source, frame, bank_id)
        with watch.phase("list and certificate"), database.transaction(DEMO) as tx:
            tools = load_tools(tx, settings, DAY)
            push_missing(tx, DEMO, DAY, instant_on(DAY, 9), tools)
        with database.transaction(DEMO) as tx:
            summary = _summary(tx, source, model, totals)
    summary["seconds"] = watch.as_json()
    summary["memory_mb"] = round(peak_megabytes())
    keep_summary(settings, summary)
    write_marker(settings, plan, finished=True)
    show(summary, console, watch)
    return settings, summary


def _take(database: Database, settings: Settings, folder: Path, source: Source, watch: Watch) -> dict[str, Totals]:
    """Firms by name and code, then the four files through the front door; the totals as handed in, by file."""
    with database.transaction(DEMO) as tx:
        enter_firms(tx, DEMO, source.stubs, instant_on(DAY, 7))
    handed_in: dict[str, Totals] = {}
    bar = watch.bar("发票报送 invoices in", 4)
    feeds = write_feeds(folder, source, settings.home / "feeds")
    while True:
        with watch.phase("convert the files"):
            feed = next(feeds, None)
            if feed is None:
                return handed_in
            path, table = feed
            handed_in[path.name] = totals_of(table)
        with watch.phase("intake"), database.transaction(DEMO) as tx:
            taken = take_feed(tx, DEMO, path, delivery=Delivery(DAY), mirror=settings.mirror)
        if taken.failure is not None:
            raise taken.failure
        watch.advance(bar, f"{taken.feed.valid:,} rows")


def _features(settings: Settings, source: Source) -> "pd.DataFrame":
    """The invoice features of all 425 firms as of the day, from the mirror."""
    import pandas as pd

    from risk.build import build
    from risk.invoice_features import INVOICE_FEATURES

    firms = [stub.uscc for stub in source.stubs]
    cohort = pd.DataFrame({"uscc": firms, "as_of": [DAY] * len(firms)})
    return build(settings.mirror, cohort, INVOICE_FEATURES)


def _learn(settings: Settings, source: Source, frame: "pd.DataFrame") -> "RiskModel":
    """Chosen and measured by repeated nested stratified cross-validation on the 123, then fitted on all of them."""
    from risk.invoice_features import INVOICE_FEATURES
    from risk.train import train

    known = frame[frame["uscc"].isin(source.labels)].reset_index(drop=True)
    labels = [source.labels[code] for code in known["uscc"]]
    told = {"data": "CUMCM 2020 C, 123 firms", "caution": NO_DATES}
    folder = train(
        known, labels, INVOICE_FEATURES, settings.models / ".training", seed=7, time=None, repeats=REPEATS, told=told
    )
    return keep(settings, folder)


def _open(database: Database, source: Source, model: "RiskModel") -> int:
    """The model in use, one bank with one product, and the people who may look; the bank's key."""
    now = instant_on(DAY, 8)
    with database.transaction(DEMO) as tx:
        use_model(tx, DEMO, model, now)
        bank = admit_bank(tx, DEMO, BankForm("ONE", "示范银行", "city", DAY, "Model Bank"), now)
        form = ProductForm(
            code="ONE-1Y",
            name="一年期信用贷款",
            name_en="One-year credit loan",
            amount_min_fen=LEAST_FEN,
            amount_max_fen=MOST_FEN,
            term_min_months=TERM_MONTHS,
            term_max_months=TERM_MONTHS,
            rate_min=RATES[0],
            rate_max=RATES[1],
            loan_types=(LoanType.CREDIT.value,),
            places_per_day=len(source.asking),
            quota_fen=QUOTA_FEN,
            from_on=DAY,
        )
        offer_product(tx, DEMO, form, DAY, now, bank_id=bank)
        cards = [
            Card("real-firm", "企业一（E124）", Role.FIRM, uscc=source.asking[0]),
            Card("real-bai", "白经理", Role.OFFICER, bank_id=bank),
            Card("real-city", "程主任（市级）", Role.CITY),
            Card("real-operator", "欧运维（平台运行）", Role.OPERATOR),
        ]
        add_cast(tx, DEMO, cards, DAY, now)
    return bank


def _report(database: Database, settings: Settings, source: Source, frame: "pd.DataFrame", bank_id: int) -> None:
    """One demand each: one month's median valid sales, between 100,000 and 1,000,000 yuan, for a year."""
    medians = dict(zip(frame["uscc"], frame["sales_month_median"], strict=True))
    forms = [_demand(code, medians[code], bank_id) for code in source.asking]
    with database.transaction(DEMO) as tx:
        tools = load_tools(tx, settings, DAY)
        report_demands(tx, DEMO, forms, tools, DAY, instant_on(DAY, 8, 30))


def _demand(code: str, median_yuan: float, bank_id: int) -> ReportForm:
    """The form needs a use; the policy of this run says that it is not judged."""
    asked = LEAST_FEN if median_yuan != median_yuan else round(median_yuan * 100)  # noqa: PLR0124  NaN: no sales
    until = DAY + timedelta(days=180)
    text_hash = hashlib.sha256(CONSENT.encode()).hexdigest()
    return ReportForm(
        uscc=code,
        amount_fen=min(max(asked, LEAST_FEN), MOST_FEN),
        term_months=TERM_MONTHS,
        use=UseOfLoan.WORKING_CAPITAL,
        use_text="按规则生成，用途不作研判",
        intended=(bank_id,),
        consents=(
            ConsentForm(code, None, Purpose.PROFILE, ALL_CLASSES, text_hash, until, CONSENT),
            ConsentForm(code, bank_id, Purpose.CREDIT_REVIEW, ALL_CLASSES, text_hash, until, CONSENT),
        ),
    )


def _summary(tx: Any, source: Source, model: "RiskModel", handed_in: Mapping[str, Totals]) -> dict[str, Any]:
    stored = looks.invoice_totals(tx)
    tallies, judged, card = looks.tallies(tx), looks.judged(tx), model.card
    return {
        "as_of": DAY.isoformat(),
        "not_judged_here": [asdict(one) for one in load_policy(INVOICES_POLICY_FILE).not_judged_here],
        "firms": {
            "labelled": len(source.labels),
            "defaults": sum(source.labels.values()),
            "asking": len(source.asking),
        },
        "invoices": _invoices(handed_in, stored),
        "feeds": tallies["feeds"],
        "model": {
            "version": model.version,
            "chosen": card["chosen"],
            "n": card["n"],
            "events": card["events"],
            "repeats": card["repeats"],
            "folds": card["folds"],
            "auc": card["measures"]["auc"],
            "auc_spread": card["spread"]["auc"],
            "auc_interval_95": card["intervals"].get("auc"),
            "measures": card["measures"],
            "caution": NO_DATES,
        },
        "demands": {"reported": judged.demands, "recommended": judged.recommended, "states": tallies["demands"]},
        "lights": tallies["lights"],
        "list": _list(looks.first_list(tx)),
    }


def _invoices(handed_in: Mapping[str, Totals], stored: Totals) -> dict[str, Any]:
    """Counts and sums of both sides; `reconciled` only where every one of them agrees exactly."""
    files: dict[tuple[str, str, str], tuple[int, int]] = {}
    for totals in handed_in.values():
        for key, (count, fen) in totals.items():
            before = files.get(key, (0, 0))
            files[key] = (before[0] + count, before[1] + fen)
    rows = [
        {"direction": key[0], "status": key[1], "sign": key[2], "invoices": files.get(key, (0, 0))[0],
         "yuan": to_yuan(files.get(key, (0, 0))[1]), "stored_invoices": stored.get(key, (0, 0))[0],
         "stored_yuan": to_yuan(stored.get(key, (0, 0))[1])}
        for key in sorted({*files, *stored})
    ]  # fmt: skip

    def counted(place: int, word: str) -> int:
        return sum(count for key, (count, _) in stored.items() if key[place] == word)

    return {
        "all": sum(count for count, _ in stored.values()),
        "valid": counted(1, "valid"),
        "void": counted(1, "void"),
        "negative": counted(2, "negative"),
        "yuan": to_yuan(sum(fen for _, fen in stored.values())),
        "by_kind": rows,
        "by_file": {
            name: {"invoices": sum(count for count, _ in totals.values()),
                   "yuan": to_yuan(sum(fen for _, fen in totals.values()))}
            for name, totals in handed_in.items()
        },
        "reconciled": dict(files) == dict(stored),
    }  # fmt: skip


def _list(row: Any) -> dict[str, Any]:
    if row is None:
        return {"lines": 0, "amount_yuan": "0.00", "quota_yuan": to_yuan(QUOTA_FEN)}
    body = row.body
    return {
        "lines": row.lines,
        "amount_yuan": to_yuan(row.amount_fen),
        "quota_yuan": to_yuan(row.quota_fen),
        "within_quota": row.reserved_fen <= row.quota_fen and row.amount_fen == row.reserved_fen,
        "content_hash": row.content_hash,
        "certificate": {name: body[name] for name in ("value", "bound", "gap", "placed", "breaches") if name in body},
        "certificate_is_valid": row.is_valid,
    }


def show(summary: Mapping[str, Any], console: Console, watch: Watch) -> None:
    """What could not be judged first, then the figures."""
    missing = Table(title="不在此判定 Not judged here: only invoices are known", show_header=False)
    for one in summary["not_judged_here"]:
        missing.add_row(one["name_zh"], one["name_en"], one["reason_zh"])
    console.print(missing)
    table = Table(title=f"真实发票运行 Real invoices, as of {summary['as_of']}", show_header=False)
    invoices, model, list_ = summary["invoices"], summary["model"], summary["list"]
    lights = " · ".join(f"{word} {count}" for word, count in summary["lights"].items())
    counts = "{all:,} 张：有效 {valid:,}，作废 {void:,}；其中负数 {negative:,}".format(**invoices)
    matches = (
        "与文件逐分一致 equal to the files" if invoices["reconciled"] else "与文件不一致！ DIFFERENT from the files!"
    )
    auc = "{auc:.3f} ± {auc_spread:.3f} ({repeats} × {folds} folds)".format(**model)
    rows = {
        "发票 invoices": counts,
        "价税合计 total": f"{Decimal(invoices['yuan']):,} 元，{matches}",
        "企业 firms": "{labelled} 家有标签（违约 {defaults}），{asking} 家申报".format(**summary["firms"]),
        "AUC": f"{auc}, 95 % {_interval(model)}",
        "注意 caution": model["caution"],
        "灯 lights": lights,
        "推荐 recommended": f"{summary['demands']['recommended']} / {summary['demands']['reported']}",
        "推送清单 list": f"{list_['lines']} 笔，{Decimal(list_['amount_yuan']):,} 元",
        "额度 quota": f"{Decimal(list_['quota_yuan']):,} 元",
        "校验证书 certificate": json.dumps(list_.get("certificate", {}), ensure_ascii=False),
    }
    for name, said in rows.items():
        table.add_row(name, said)
    console.print(table)
    console.print(watch.table())


def _interval(model: Mapping[str, Any]) -> str:
    low, high = model["auc_interval_95"] or (None, None)
    return "–" if low is None or high is None else f"{low:.3f}–{high:.3f}"
