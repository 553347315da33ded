"""`xindeng intake FOLDER`: good files are taken whatever lies beside them, and each bad one is told in one sentence."""

import shutil
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest
from pydantic import SecretStr
from rich.console import Console
from sqlalchemy import make_url, text

from service.domain.people import the_platform
from service.intake_run import take_files
from service.processes import open_database
from service.settings import Settings
from service.store.server import ServerAddress
from tests.conftest import empty
from tests.service.intake.feed_files import DAY, FENG, TAX, tax, write

pytestmark = pytest.mark.database


@pytest.fixture
def house(settings: Settings, server: ServerAddress, reused: ServerAddress) -> Iterator[Settings]:
    """Settings whose own database is empty before and after."""
    address = server
    if settings.database_url is not None:
        own = make_url(settings.database_url.get_secret_value()).set(database=reused.database)
        url = SecretStr(own.render_as_string(hide_password=False))
        settings, address = settings.model_copy(update={"database_url": url}), reused
    yield settings
    empty(address)
    shutil.rmtree(settings.mirror, ignore_errors=True)


def taken(house: Settings, *paths: Path) -> tuple[int, str]:
    heard = StringIO()
    failures = take_files(house, paths, None, DAY, Console(file=heard, width=300))
    return failures, heard.getvalue()


def counts(house: Settings) -> tuple[int, ...]:
    with open_database(house) as database, database.transaction(the_platform("test")) as tx:
        tables = ("record", "quarantine", "feed WHERE state = 'failed'")
        return tuple(int(tx.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()) for table in tables)


def test_a_folder_with_bad_files_among_good_ones_loses_nothing_and_says_what_is_wrong(
    house: Settings, tmp_path: Path
) -> None:
    write(tmp_path / "tax_payment__good.csv", TAX, [tax(), tax(FENG, amount="viel"), tax(FENG)])
    (tmp_path / "tax_payment__empty.csv").write_bytes(b"")
    write(tmp_path / "tax_payment__header.csv", ["colour"], [["red"]])
    write(tmp_path / "weather__today.csv", TAX, [tax()])
    (tmp_path / "tax_payment__gb.csv").write_bytes(
        ",".join(TAX).encode() + b"\n" + ",".join(map(str, tax(period="2026-02", status="按期"))).encode("gb18030")
    )
    failures, said = taken(house, tmp_path)
    assert failures == 3
    for name, sentence in (
        ("tax_payment__empty.csv", "文件是空的"),
        ("tax_payment__header.csv", "没有这些列：colour"),
        ("weather__today.csv", "weather"),
    ):
        assert any(line.startswith(f"{name}: ") and sentence in line for line in said.splitlines()), (name, said)
    assert counts(house) == (3, 1, 2)
    errors = (tmp_path / "tax_payment__good.errors.csv").read_text("utf-8-sig")
    assert "viel" in errors

    failures, said = taken(house, tmp_path)  # the error file that lies there now is no feed
    assert failures == 3
    assert "已接收过" in said
    assert "errors.csv" not in said
    assert counts(house)[:2] == (3, 1)
