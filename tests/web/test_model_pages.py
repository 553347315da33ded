"""The operator's pages of models: list, card, drift, shadow results, two words to change; empty, full, damaged."""

from datetime import date

import pytest

from risk.features import FEATURES
from risk.train import train
from service.actions.promote_model import promote_model
from service.actions.shadow_models import score_unscored, start_shadow
from service.actions.train_model import keep, register_model, use_model
from service.clock import Clock
from service.domain.people import Role, Who, the_platform
from service.profiles import model_files
from service.profiles.drift import LEAST
from service.store import models
from tests.browser import Browser, an_app
from tests.builders import NOW, PLATFORM, TODAY, rows_of
from tests.kept_models import a_kept_model, a_repaid_or_lost_loan, an_estimate
from tests.lending import Lending
from tests.risk.worlds import learnable

OTTO, ODA = Who(Role.OPERATOR, 9, "欧"), Who(Role.OPERATOR, 10, "奥")
WHY = "同样需求上排序更准。"
CARD = "<!doctype html><title>card</title><svg></svg>"


@pytest.fixture
def app(database, settings):
    return an_app(settings, database, Clock(demo_on=TODAY))


@pytest.fixture
def otto(app, database) -> Browser:
    return Browser(app, database, OTTO)


@pytest.fixture
def oda(app, database) -> Browser:
    return Browser(app, database, ODA)


@pytest.fixture
def pair(database, settings, tmp_path):
    """One in use, one candidate that counts late payments."""
    champion = a_kept_model(settings, tmp_path, as_of=date(2024, 6, 30))
    other = a_kept_model(settings, tmp_path, 0.05, per_delay=0.5, as_of=date(2024, 9, 30), more={"card.html": CARD})
    with database.transaction(PLATFORM) as tx:
        use_model(tx, PLATFORM, champion, NOW)
        register_model(tx, PLATFORM, other, NOW)
    return champion, other


def judged(database, champion, size: int, on: date, *, lost: int = 0, lent: bool = False) -> None:
    """So many demands with an estimate of the model in use, each with a loan drawn since where `lent`."""
    with database.transaction(PLATFORM) as tx:
        city = Lending(tx)
        product = city.product(city.bank(), places_per_day=1000) if lent else 0
        for number in range(size):
            uscc = city.firm()
            demand = city.demand(uscc)
            late = 3.0 if number < lost else float(number % 2)
            facts = {"months_in_business": 60.0, "tax_late": late, "revenue": None, "insured_persons": 5.0}
            an_estimate(tx, demand, uscc, champion.version, facts, on)
            if lent:
                worst = 120 if number < lost else 0
                a_repaid_or_lost_loan(city, product, demand, uscc, date(2025, 1, 20), worst)


def shadows(database, settings, model, since: date) -> None:
    with database.transaction(PLATFORM) as tx:
        start_shadow(tx, PLATFORM, settings.models, model.version, since, TODAY, NOW)
    with database.transaction(PLATFORM) as tx:
        score_unscored(tx, PLATFORM, settings.models, TODAY, NOW)


def test_without_a_model_the_list_says_how_to_get_one_and_a_version_nobody_knows_is_not_there(otto) -> None:
    page = otto.opens("/operator/models")
    assert "还没有启用模型" in page.words
    assert "/operator/feeds" in page.links
    for path in ("", "/drift", "/shadow", "/promotion", "/files/card.md"):
        assert otto.opens(f"/operator/models/0123456789abcdef{path}").status == 404


def test_the_list_shows_each_model_with_state_dates_and_figures(otto, pair) -> None:
    page = otto.opens("/operator/models")
    for words in ("在用", "候选", "2024-06-30", "2024-09-30", "0.744", "0.041", "4,000", "评分卡"):
        assert words in page.words, words
    assert {f"/operator/models/{model.version}" for model in pair} <= set(page.links)


def test_a_card_is_shown_in_words_and_figures_and_its_files_are_downloads(otto, pair) -> None:
    _, other = pair
    page = otto.opens(f"/operator/models/{other.version}")
    assert "区分能力（AUC）" in page.words
    assert "0.744" in page.words
    assert "0.710 – 0.780" in page.words
    for name in ("card.md", "card.html"):
        address = f"/operator/models/{other.version}/files/{name}"
        assert address in page.links
        answer = otto.client.get(address)
        assert answer.headers["content-disposition"].startswith("attachment;")
        assert "script-src 'self'" in answer.headers["content-security-policy"]
    assert otto.client.get(f"/operator/models/{other.version}/files/card.html").text == CARD
    assert otto.client.get(f"/operator/models/{other.version}/files/features.json").status_code == 404
    assert (
        f"/operator/models/{pair[0].version}/files/card.html"
        not in otto.opens(f"/operator/models/{pair[0].version}").links
    )


def test_a_model_the_platform_trained_has_a_card_page_too(otto, database, settings, tmp_path) -> None:
    frame, labels = learnable(400)
    inputs = [one for one in FEATURES if one.name in ("months_in_business", "tax_late", "revenue")]
    model = keep(settings, train(frame, labels, inputs, tmp_path / "model", time=None, repeats=1))
    with database.transaction(the_platform("test")) as tx:
        use_model(tx, PLATFORM, model, NOW)
    page = otto.opens(f"/operator/models/{model.version}")
    assert page.status == 200
    assert f"{model.card['measures']['auc']:.3f}" in page.words
    assert "Model card" in otto.client.get(f"/operator/models/{model.version}/files/card.md").text


def test_damaged_files_are_said_on_each_page_with_what_to_do(otto, database, settings, tmp_path) -> None:
    model = a_kept_model(settings, tmp_path, 0.077)
    with database.transaction(PLATFORM) as tx:
        use_model(tx, PLATFORM, model, NOW)
    (settings.models / model.version / "scorecard.json").write_text("{}")
    model_files._model.cache_clear()
    for path, words in (("", "评估会停下"), ("/drift", "无法比较")):
        page = otto.opens(f"/operator/models/{model.version}{path}")
        assert page.status == 200
        assert words in page.words
        assert "从备份恢复" in page.words
    assert otto.opens(f"/operator/models/{model.version}/files/card.md").status == 422
    import shutil

    shutil.rmtree(settings.models / model.version)


def test_one_proposes_on_the_page_and_another_confirms(otto, oda, database, settings, pair) -> None:
    champion, other = pair
    otto.opens(f"/operator/models/{other.version}/promotion")
    page = otto.sends(f"/operator/models/{other.version}/promotion", sentence=WHY)
    assert "已提议" in page.words
    assert "须由另一名运行人员确认" in page.words
    assert not any(form["action"].endswith("/confirmation") for form in page.forms)
    assert "启用模型的提议" in oda.opens("/operator").words
    page = oda.opens("/operator/models")
    assert WHY in page.words
    (promotion,) = [form["action"] for form in page.forms if form["action"].endswith("/confirmation")]
    page = oda.sends(promotion)
    assert f"平台从现在起用模型 {other.version}" in page.words
    assert "已确认" in page.words
    with database.transaction(PLATFORM) as tx:
        assert models.find_in_use(tx).version == other.version
        assert models.find(tx, champion.version).state == "retired"


def test_the_proposer_s_own_confirmation_is_refused_with_a_sentence(otto, database, pair) -> None:
    _, other = pair
    otto.opens(f"/operator/models/{other.version}/promotion")
    otto.sends(f"/operator/models/{other.version}/promotion", sentence=WHY)
    with database.transaction(PLATFORM) as tx:
        (proposal,) = rows_of(tx, "promotion")
    form = otto.opens("/operator/models").form(f"/operator/promotions/{proposal['id']}/withdrawal")
    data = {name: values[0] for name, values in form["fields"].items()}
    answer = otto.client.post(f"/operator/promotions/{proposal['id']}/confirmation", data=data)
    assert answer.status_code == 403
    assert "要两个人" in answer.text
    with database.transaction(PLATFORM) as tx:
        assert rows_of(tx, "promotion")[0]["state"] == "waiting"


def test_a_proposal_without_a_reason_comes_back_and_one_at_a_time_waits(
    otto, oda, database, pair, settings, tmp_path
) -> None:
    champion, other = pair
    third = a_kept_model(settings, tmp_path, 0.04)
    with database.transaction(PLATFORM) as tx:
        register_model(tx, PLATFORM, third, NOW)
    address = f"/operator/models/{other.version}/promotion"
    otto.opens(address)
    page = otto.sends(address)
    assert page.status == 422
    assert "请用一句话写明理由" in page.words
    oda.opens(f"/operator/models/{third.version}/promotion")
    otto.sends(address, sentence=WHY)
    page = oda.sends(f"/operator/models/{third.version}/promotion", sentence="另一个更好。")
    assert page.status == 422
    assert "已有一项启用提议" in page.words
    assert "另一个模型的启用提议" in oda.opens(f"/operator/models/{third.version}/promotion").words
    assert "平台正在用这个模型" in oda.opens(f"/operator/models/{champion.version}/promotion").words


def test_a_proposal_is_withdrawn_and_told_among_the_earlier_ones(otto, pair) -> None:
    _, other = pair
    otto.opens(f"/operator/models/{other.version}/promotion")
    page = otto.sends(f"/operator/models/{other.version}/promotion", sentence=WHY)
    (withdrawal,) = [form["action"] for form in page.forms if form["action"].endswith("/withdrawal")]
    page = otto.sends(withdrawal)
    assert "在用的模型没有变" in page.words
    assert "以往的启用提议" in page.words
    assert "已撤回" in page.words


def test_a_model_is_made_a_shadow_and_stopped_by_buttons(otto, database, pair) -> None:
    _, other = pair
    address = f"/operator/models/{other.version}/shadow"
    otto.opens(address)
    page = otto.sends(address, since="2024-09-30")
    assert "只能从之后的需求开始比较" in page.words
    page = otto.sends(address, since="2024-10-01")
    assert "正在作影子" in page.words
    assert "还没有评过分" in page.words
    page = otto.sends(f"{address}/end")
    assert "已停止影子评分" in page.words
    with database.transaction(PLATFORM) as tx:
        assert [row["verb"] for row in rows_of(tx, "trail", noun="model")][-2:] == ["shadowed", "unshadowed"]


def test_shadow_results_compare_the_same_demands_and_say_when_outcomes_are_too_few(
    otto, database, settings, pair
) -> None:
    champion, other = pair
    judged(database, champion, 12, date(2026, 6, 20))
    shadows(database, settings, other, date(2026, 6, 1))
    page = otto.opens(f"/operator/models/{other.version}/shadow")
    for words in ("需求 12 笔", "2.00%", "等级不同 100.0%", "更危险 12 笔", "结果还太少"):
        assert words in page.words, words


def test_where_outcomes_are_known_the_page_says_which_model_they_bear_out(otto, database, settings, pair) -> None:
    champion, other = pair
    judged(database, champion, 40, date(2025, 1, 10), lost=12, lent=True)
    shadows(database, settings, other, date(2025, 1, 1))
    page = otto.opens(f"/operator/models/{other.version}/shadow")
    assert "结果已知的 40 笔，其中违约 12 笔" in page.words
    assert "影子更好" in page.words
    assert "1.000" in page.words


def test_drift_is_shown_with_a_word_and_a_shape_where_there_are_demands_enough(otto, database, pair) -> None:
    champion, _ = pair
    address = f"/operator/models/{champion.version}/drift"
    assert "没有带评估的需求" in otto.opens(address).words
    judged(database, champion, 20, date(2026, 6, 20))
    page = otto.opens(address)
    assert f"不足 {LEAST} 笔" in page.words
    assert "明显移动" not in page.words.replace("起明显移动", "")
    with database.transaction(PLATFORM) as tx:
        city = Lending(tx, firms=500, made={"demand": 500})
        for _number in range(LEAST):
            uscc = city.firm()
            facts = {"months_in_business": 60.0, "tax_late": 9.0, "revenue": None, "insured_persons": 5.0}
            an_estimate(tx, city.demand(uscc), uscc, champion.version, facts, date(2026, 6, 20))
    page = otto.opens(f"{address}?days=90")
    assert "■ 明显移动" in page.words
    assert "逾期缴税次数" in page.words
    assert "纳税记录" in page.words
    assert otto.opens(f"{address}?days=nonsense").status == 200


def test_inputs_no_snapshot_holds_are_named_instead_of_called_moved(otto, database, settings, pair, tmp_path) -> None:
    champion, _ = pair
    wider = a_kept_model(settings, tmp_path, 0.06, names=("tax_late", "court_cases"))
    with database.transaction(PLATFORM) as tx:
        register_model(tx, PLATFORM, wider, NOW)
    judged(database, champion, 5, date(2026, 6, 20))
    page = otto.opens(f"/operator/models/{wider.version}/drift")
    assert "无法比较的输入：未结司法案件" in page.words
    assert "模型分数" not in page.words


def test_the_pages_are_complete_in_english(otto, oda, database, settings, pair) -> None:
    champion, other = pair
    judged(database, champion, 12, date(2026, 6, 20))
    shadows(database, settings, other, date(2026, 6, 1))
    with database.transaction(ODA) as tx:
        (row,) = rows_of(tx, "person", name="奥")
        promote_model(
            tx, Who(Role.OPERATOR, row["id"], "奥"), settings.models, other.version, "It ranks better.", TODAY, NOW
        )
    otto.client.headers["accept-language"] = "en"
    home = f"/operator/models/{other.version}"
    for address in ("/operator/models", home, f"{home}/drift", f"{home}/shadow", f"{home}/promotion"):
        page = otto.opens(address)
        assert page.status == 200
        main = page.html.split("<main", 1)[1].split("</main>", 1)[0]
        chinese = {letter for letter in main if "\u4e00" <= letter <= "\u9fff"}
        assert chinese <= {"奥"}, (address, chinese)
