"""C-9: a bank's list goes to Excel, through LibreOffice where there is one, and comes back filled in, exactly, once."""

import io
import shutil
import subprocess
from pathlib import Path

import openpyxl
import pytest

from service.clock import Clock
from tests.browser import Browser, an_app
from tests.builders import PLATFORM, TODAY, bai, rows_of
from tests.web.acceptance.fifty import MANY, a_list_of_fifty, answers_of, filled_in, returned, workbook

pytestmark = [pytest.mark.soak, pytest.mark.timeout(600)]
OFFICE = shutil.which("soffice") or shutil.which("libreoffice")


def saved_by_office(content: bytes, folder: Path) -> bytes:
    """The same workbook opened and saved by LibreOffice."""
    (folder / "in").mkdir()
    (folder / "in" / "list.xlsx").write_bytes(content)
    command = [str(OFFICE), "--headless", f"-env:UserInstallation=file://{folder}/profile", "--convert-to", "xlsx"]
    subprocess.run(
        [*command, "--outdir", str(folder / "out"), str(folder / "in" / "list.xlsx")], check=True, timeout=240
    )
    return (folder / "out" / "list.xlsx").read_bytes()


def test_a_list_goes_to_excel_and_comes_back_exactly_and_once(database, settings, tmp_path, record_property) -> None:
    made = a_list_of_fifty(database)
    officer = Browser(an_app(settings, database, Clock(demo_on=TODAY)), database, bai(made.bank))
    content = workbook(officer, database)
    cells = [cell for sheet in openpyxl.load_workbook(io.BytesIO(content)) for row in sheet for cell in row]
    formulas = [cell.coordinate for cell in cells if cell.data_type == "f"]
    with database.transaction(PLATFORM) as tx:
        asked = {row["uscc"]: row["amount_fen"] for row in rows_of(tx, "demand")}
    sheet = openpyxl.load_workbook(io.BytesIO(content)).worksheets[0]
    at = {cell.value: cell.column - 1 for cell in sheet[1]}
    shown = {
        row[at["统一社会信用代码"]]: row[at["申请金额（元）"]] for row in sheet.iter_rows(min_row=2, values_only=True)
    }
    lost = [uscc for uscc, yuan in shown.items() if round(yuan * 100) != asked[uscc] or yuan != asked[uscc] / 100]

    answered = filled_in(content)
    through = "openpyxl alone: no LibreOffice on this machine"
    if OFFICE:
        answered, through = saved_by_office(answered, tmp_path), "openpyxl, then saved by LibreOffice"
    assert f"将记录 {MANY} 行" in returned(officer, answered).words
    officer.sends("/push-lists/answers/confirmation")
    first = answers_of(database)
    with database.transaction(PLATFORM) as tx:
        offers = rows_of(tx, "offer")
    wrong = [row["amount_fen"] for row in offers if row["amount_fen"] not in {10_000_001 + line for line in range(60)}]
    assert "没有可以记录的新反馈" in returned(officer, answered).words
    changes = len(answers_of(database)) - len(first)
    record_property(
        "C-9",
        f"{MANY} rows through {through}: {len(lost) + len(wrong)} amounts lost, {len(formulas)} formulas, "
        f"{len(first)} answers, {changes} changes on the second import",
    )
    assert (lost, wrong, formulas, len(first), changes) == ([], [], [], MANY, 0)
    assert {str(row["rate"]) for row in offers} == {"0.0435000"}
    assert {row["fees_fen"] for row in offers} == {10}
