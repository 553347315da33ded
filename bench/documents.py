"""What people take away: a credit report of 120 records on paper, and a list of 200,000 rows as a workbook.

    python bench/documents.py [--records 120] [--rows 200000] [--runs 7] [--json PATH]

The report is drawn as the bank's page draws it, from a made-up firm with so many records of tax, utilities and social
insurance. The first run pays for loading the library and the fonts, as the first print of a process does. The paper
must be at most 400 kB and take at most 2 s of one core even then, with its fonts inside, its words readable by
machines, a number on each page, and the same bytes for the same mark.

The workbook is written as the worker writes an export of demands, without the database: its memory must not grow with
its rows, measured as the process's peak beside that of a workbook of 2,000 rows.
"""

import argparse
import json
import resource
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from statistics import median
from types import SimpleNamespace
from typing import Any

import pypdfium2
import pypdfium2.raw as pdfium
from rich.console import Console
from rich.table import Table

from service.actions.issue_report import Mark
from service.actions.make_export import BATCH, About
from service.domain.export import ExportKind
from service.domain.issued_report import Drawn
from service.domain.people import Role, Who
from service.domain.record import Record
from service.intake.catalogue import load_catalogue
from service.profiles.profile import Fact, Freshness, Profile, Section
from web import credit_report
from web.credit_report import Furnished, Reported
from web.explained import Explained, Finding, Reason
from web.pages.export_kinds import KINDS

DAY = date(2026, 6, 30)
MOST_SECONDS, MOST_BYTES = 2.0, 400_000
MOST_GROWTH_MB = 16
ITEMS = ("tax_payment", "utility", "social_insurance", "contract")
MARK = Mark("XB20260630-000001", "t" * 43, datetime(2026, 6, 30, 2, tzinfo=UTC))
BY = Furnished("郑州示例银行", "白经理", "https://xindeng.example.gov.cn", "0371-12345")
VALUES: dict[str, Any] = {"text": "郑州某某建材有限公司", "money": 12_345_678, "number": 880.0, "integer": 9}
VALUES |= {"share": 0.12, "date": DAY, "month": "2026-05", "year": "2025", "uscc": "91410199MA0000015Q"}


def a_profile(records: int) -> Profile:
    """A firm of which four sources say so many things, each field filled."""
    catalogue = load_catalogue()
    sections = []
    for place, item in enumerate(catalogue.items.values()):
        share = ITEMS.index(item.id) if item.id in ITEMS else None
        numbers = range(share, records, len(ITEMS)) if share is not None else range(0)
        facts = [_fact(item, number) for number in numbers]
        sections.append(Section(item, facts, DAY if facts else None, Freshness.FRESH if place % 3 else Freshness.STALE))
    return Profile("91410199MA0000015Q", DAY, sections)


def _fact(item: Any, number: int) -> Fact:
    on = DAY - timedelta(days=5 * number)
    told = {"id": number, "item": item.id, "uscc": "91410199MA0000015Q", "key": str(number), "feed_id": 1, "line": 2}
    record = Record(**told, happened_on=on, known_on=on + timedelta(days=5))
    return Fact(record, [(field, _value(field)) for field in item.fields if field.name not in ("uscc", "known_on")])


def _value(field: Any) -> Any:
    return next(iter(field.choices), "C30") if field.type == "choice" else VALUES[field.type]


def a_report(records: int) -> Reported:
    """What the line's page would hand over."""
    line = SimpleNamespace(
        id=1, firm_name="郑州方记商贸有限公司", uscc="91410199MA0000015Q", firm_kind="enterprise", size_class="micro",
        industry="F52", district="410102", established_on=date(2018, 3, 1), demand_number="D20260630-000001",
        amount_fen=50_000_000, term_months=12, use="working_capital", use_text="备货", rate_ceiling=Decimal("0.05"),
        guarantees=["credit", "mortgage"], product_name="信用快贷", state="contacted", light="green",
    )  # fmt: skip
    consent = SimpleNamespace(
        id=1, purpose="credit_review", data_classes=["public", "shared", "authorised"], from_on=DAY, until_on=DAY
    )
    verdict = SimpleNamespace(
        id=1, content_hash="0" * 64, model_version="lightgbm-2026", grade="A", score=702, probability=0.021, as_of=DAY
    )
    findings = [
        Finding(f"c{number}", "green", f"条件{number}", "连续纳税三十六个月，没有欠税。", "", "")
        for number in range(15)
    ]
    reasons = [Reason(number % 2 == 1, "近十二个月用电量比上年增长一成。", "用水用电", DAY) for number in range(6)]
    explained = Explained(verdict, tuple(findings), (("征信", "平台不接入征信。"),), tuple(reasons))  # type: ignore[arg-type]
    held = credit_report.recorded(a_profile(records), consent.data_classes)
    return Reported(line, consent, explained, held, "●")  # type: ignore[arg-type]


def faults_of(paper: Drawn, records: int) -> list[str]:
    """What is wrong with the paper, read back by Chromium's reader."""
    pages = pypdfium2.PdfDocument(paper.content)
    texts = ["".join(page.get_textpage().get_text_range().split()) for page in pages]
    whole = "".join(texts)
    fonts = {
        pdfium.FPDFFont_GetIsEmbedded(pdfium.FPDFTextObj_GetFont(one))
        for page in pages
        for one in page.get_objects()
        if one.type == pdfium.FPDF_PAGEOBJ_TEXT
    }
    checks = {
        "a font is not inside": fonts == {1},
        "a page has no number": all(f"{place}/{len(texts)}" in text for place, text in enumerate(texts, 1)),
        "a page has no mark": all("白经理·2026年6月30日" in text for text in texts),
        "a record is not to be read": whole.count((DAY - timedelta(days=5)).isoformat()) >= 1
        and f"共{records}条" in whole,
    }
    return [fault for fault, holds in checks.items() if not holds]


def run(records: int, runs: int) -> dict[str, Any]:
    """Seconds of the first and of later papers, bytes, pages, and what is wrong with it."""
    report, seconds, worked, papers = a_report(records), [], [], []
    for _ in range(runs + 1):
        begun, at_work = time.perf_counter(), time.process_time()
        papers.append(credit_report.draw(report, BY, MARK))
        seconds.append(time.perf_counter() - begun)
        worked.append(time.process_time() - at_work)
    faults = faults_of(papers[0], records)
    if len({paper.sha256 for paper in papers}) != 1:
        faults.append("the same mark gave other bytes")
    return {
        "records": records,
        "first_cpu_seconds": round(worked[0], 2),
        "cpu_seconds": round(median(worked[1:]), 2),
        "wall_seconds": round(median(seconds[1:]), 2),
        "bytes": len(papers[0].content),
        "pages": papers[0].pages,
        "faults": faults,
        "held": not faults and worked[0] <= MOST_SECONDS and len(papers[0].content) <= MOST_BYTES,
    }


def demands(rows: int) -> Iterator[Sequence[Any]]:
    """So many demands as the database would give them, batch by batch."""
    same = {
        "firm_name": "郑州方记商贸有限公司", "uscc": "91410199MA0000015Q", "district": "410102", "industry": "F52",
        "light": "green", "amount_fen": 50_000_000, "term_months": 12, "use": "working_capital", "reported_on": DAY,
        "state": "pushed", "next_step": "contact", "next_by": "bank", "next_on": DAY, "closed_on": None,
    }  # fmt: skip
    for first in range(0, rows, BATCH):
        numbers = range(first, min(first + BATCH, rows))
        yield [SimpleNamespace(number=f"D20260630-{number:06d}", **same) for number in numbers]


def peak_mb() -> float:
    """The most memory this process has had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def export(rows: int) -> dict[str, Any]:
    """Seconds, bytes and memory of a workbook of so many rows."""
    about, write = About(Who(Role.CITY, 1, "市"), "zh_Hans_CN", MARK.issued_at), KINDS[ExportKind.DEMANDS].write
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "export.part"
        write(file, demands(BATCH), about)
        before, begun = peak_mb(), time.process_time()
        write(file, demands(rows), about)
        cpu, growth = time.process_time() - begun, peak_mb() - before
        size = file.stat().st_size
    return {
        "rows": rows,
        "cpu_seconds": round(cpu, 1),
        "bytes": size,
        "growth_mb": round(growth, 1),
        "held": growth <= MOST_GROWTH_MB,
    }


def main() -> int:
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--records", type=int, default=120)
    words.add_argument("--rows", type=int, default=200_000)
    words.add_argument("--runs", type=int, default=7)
    words.add_argument("--json", type=Path)
    asked = words.parse_args()
    workbook = export(asked.rows)  # first: the peak of memory only ever rises
    found = run(asked.records, asked.runs)
    table = Table("what", "found", "bar", title=f"A credit report of {asked.records} records")
    table.add_row("first of a process, s CPU", f"{found['first_cpu_seconds']}", f"{MOST_SECONDS:g}")
    table.add_row("then, median, s CPU", f"{found['cpu_seconds']}", "")
    table.add_row("… by the clock, s", f"{found['wall_seconds']}", "")
    table.add_row("bytes", f"{found['bytes']:,}", f"{MOST_BYTES:,}")
    table.add_row("pages", f"{found['pages']}", "")
    table.add_row("faults", ", ".join(found["faults"]) or "none", "none")
    sheet = Table("what", "found", "bar", title=f"A workbook of {asked.rows:,} rows")
    sheet.add_row("s CPU", f"{workbook['cpu_seconds']}", "")
    sheet.add_row("bytes", f"{workbook['bytes']:,}", "")
    sheet.add_row(f"memory over one of {BATCH:,} rows, MB", f"{workbook['growth_mb']}", f"{MOST_GROWTH_MB}")
    held = found["held"] and workbook["held"]
    Console().print(table, sheet, f"held: {held}")
    if asked.json:
        told = {"report": found, "workbook": workbook}
        asked.json.write_text(json.dumps(told, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return 0 if held else 1


if __name__ == "__main__":
    raise SystemExit(main())
