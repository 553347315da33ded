"""A product before it is saved and after: how many demands its terms take, in counts only, and every version."""

import pytest

from service.actions.preview_product import preview_product
from service.clock import Clock
from service.domain.errors import NotAllowed
from service.domain.people import Role, Who, the_platform
from tests.browser import Browser, Page, an_app
from tests.builders import FANG, TODAY, a_demand, a_firm_with_records, a_small_world, bai, bo, row_of, rows_of

FIRMS = 12


@pytest.fixture
def world(database):
    """Twelve firms look for a bank: seven of eight years, five of four."""
    with database.transaction(the_platform("test")) as tx:
        made = a_small_world(tx)
        for number in range(FIRMS):
            uscc = f"91410199MA0002{number:02}1X"
            a_firm_with_records(tx, uscc, name=f"第{number}公司")
            a_demand(tx, uscc, (made.bank,), made.tools, amount_fen=50_000_000 if number < 7 else 200_000_000)
    return made


@pytest.fixture
def admin(app, database, world) -> Browser:
    return Browser(app, database, Who(Role.BANK_ADMIN, 8, "白总", bank_id=world.bank))


@pytest.fixture
def app(database, settings, world):
    return an_app(settings, database, Clock(demo_on=TODAY))


def previews(browser: Browser, **fields: str) -> Page:
    """The form of the open product page, sent by its second button."""
    form = browser.page.form("/bank/products")["fields"] | {"loan_types": ["credit"], **fields}
    return Page(browser.client.post("/bank/products/preview", data=form))


def test_the_preview_says_how_many_fit_join_and_leave_and_saves_nothing(admin, database, world) -> None:
    admin.opens(f"/bank/products/{world.product}")
    page = previews(admin, amount_max_fen="100")
    assert page.status == 200
    assert "还在找银行 约 10 笔" in page.words
    assert "符合这些条件 约 5 笔" in page.words
    assert "现在不符合、改后符合 不到 5 笔" in page.words
    assert "现在符合、改后不符合 约 5 笔" in page.words
    assert page.form("/bank/products")["fields"]["amount_max_fen"] == ["100"]
    with database.transaction(the_platform("test")) as tx:
        assert row_of(tx, "product", world.product)["version"] == 1


def test_the_preview_names_no_firm_and_counts_no_few(admin, world) -> None:
    admin.opens(f"/bank/products/{world.product}")
    page = previews(admin, amount_min_fen="400")
    assert "符合这些条件 不到 5 笔" in page.words
    assert "公司" not in page.words.split("准入条件")[0].split("按填写的条件")[1]
    assert FANG not in page.html


def test_wrong_terms_are_told_beside_their_field_before_anything_is_counted(admin, world) -> None:
    admin.opens(f"/bank/products/{world.product}")
    page = previews(admin, amount_min_fen="900")
    assert page.status == 422
    assert "金额下限须大于零且不超过上限" in page.words


def test_an_officer_does_not_preview(database, world) -> None:
    with database.transaction(the_platform("test")) as tx, pytest.raises(NotAllowed):
        preview_product(tx, bai(world.bank), None, None, TODAY)


def test_every_version_says_what_it_changed_and_who(admin, app, database, world) -> None:
    admin.opens(f"/bank/products/{world.product}")
    admin.sends("/bank/products", loan_types=["credit"], amount_max_fen="300", min_months_in_business="24")
    page = admin.opens(f"/bank/products/{world.product}/versions")
    assert "第 2 版 现行" in page.words
    assert "最高金额 500 万元 300 万元" in page.words
    assert "成立至少 不设 24 个月" in page.words
    assert "最低年利率 3.45%" in page.words.split("第 1 版", 1)[1]
    with database.transaction(the_platform("test")) as tx:
        assert len(rows_of(tx, "product_version", product_id=world.product)) == 2
    assert Browser(app, database, bai(world.bank)).opens(f"/bank/products/{world.product}/versions").status == 200
    assert Browser(app, database, bo(world.other_bank)).opens(f"/bank/products/{world.product}/versions").status == 404
