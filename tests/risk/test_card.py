"""The card: its sections in both languages, its pictures the same bytes each time, one file that needs nothing else."""

import json
import re
import shutil
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from risk import artifact, card, curves, evaluate, pictures, sections
from risk.artifact import ArtifactError
from risk.model import RiskModel
from risk.scale import GRADES
from risk.train import train
from tests.risk.worlds import learnable

SVG = "{http://www.w3.org/2000/svg}"
EVERY_SECTION = ["overview", "reading", "data", "protocol", "test", "calibration", "vintages", "score", "grades",
                 "segments", "psi", "drivers", "candidates", "inputs", "limits"]  # fmt: skip
VOID = {"meta", "br", "img", "hr", "link", "input"}


class Html(HTMLParser):
    """Every element in order, with its depth; refuses tags that do not close in order."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.open, self.words = [], [], []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes), tuple(self.open)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.elements.append((tag, dict(attributes), tuple(self.open)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)


@pytest.fixture(scope="module")
def tested(tmp_path_factory, learnt):
    """A model tested out of time on loans of two districts, one of which is small."""
    frame, labels = learnable(2500)
    random = np.random.default_rng(4)
    frame["fact.district"] = random.choice(["金水区", "410105", "<b>"], 2500, p=[0.55, 0.44, 0.01])
    told = {"as_of": "2025-01-01", "loans": {"labelled": 2500}, "default": [{"days_overdue": 90}]}
    return train(frame, labels, learnt, tmp_path_factory.mktemp("tested") / "model", told=told)


@pytest.fixture(scope="module")
def crossed(tmp_path_factory, learnt):
    frame, labels = learnable(160)
    return train(frame, labels, learnt, tmp_path_factory.mktemp("crossed") / "model", time=None, repeats=2)


@pytest.fixture(params=["tested", "crossed"])
def folder(request):
    return request.getfixturevalue(request.param)


@pytest.fixture(scope="module")
def rows():
    random = np.random.default_rng(9)
    probability = 1 / (1 + np.exp(2 - 1.3 * random.normal(size=4000)))
    return (random.random(4000) < probability).astype(float), probability


def card_of(folder):
    return json.loads((folder / "card.json").read_text("utf-8"))


def drawn_in(folder):
    found = re.findall(r"<svg.*?</svg>", (folder / "card.html").read_text("utf-8"), re.DOTALL)
    return [ET.fromstring(one) for one in found]


def test_every_section_stands_on_the_card_in_both_forms_whatever_the_protocol(folder):
    page, paper = Html((folder / "card.html").read_text("utf-8")), (folder / "card.md").read_text("utf-8")
    assert [given["id"] for tag, given, _ in page.elements if tag == "h2"] == EVERY_SECTION
    told = sections.sections(card_of(folder), RiskModel.load(folder).inputs)
    assert [one.name for one in told] == EVERY_SECTION
    for one in told:
        assert f"## {one.title.zh} / {one.title.en}" in paper
        assert one.text or one.tables, f"{one.name} says nothing"


def test_a_card_tested_out_of_time_has_all_eight_pictures_a_cross_validated_one_those_it_can_have(tested, crossed):
    both = [[one.get("aria-labelledby").split("-title")[0] for one in drawn_in(folder)] for folder in (tested, crossed)]
    assert both[0] == ["roc", "calibration", "vintages", "score", "grades", "segments", "psi", "drivers"]
    assert both[1] == ["roc", "calibration", "score", "grades", "drivers"]
    assert "nothing is claimed by vintage" in (crossed / "card.html").read_text("utf-8")


def test_the_page_is_one_file_without_script_or_any_address_but_its_own(folder):
    page = (folder / "card.html").read_text("utf-8")
    assert "://" not in page.replace("http://www.w3.org/2000/svg", "")
    assert "@import" not in page
    for tag, given, _ in Html(page).elements:
        assert tag not in {"script", "link", "img", "iframe", "object", "image"}
        assert not any(name.startswith("on") or name == "src" for name in given)
        assert given.get("href", "#").startswith("#")


def test_every_link_and_label_on_the_page_leads_to_exactly_one_id(folder):
    page = (folder / "card.html").read_text("utf-8")
    elements = Html(page).elements
    ids = [given["id"] for _, given, _ in elements if "id" in given]
    assert len(ids) == len(set(ids))
    asked = [given["href"][1:] for _, given, _ in elements if "href" in given]
    asked += [one for _, given, _ in elements for one in given.get("aria-labelledby", "").split()]
    asked += re.findall(r"url\(#([\w-]+)\)", page)
    assert asked
    assert set(asked) <= set(ids)


def test_every_table_has_a_caption_and_heads_for_its_columns_and_rows(folder):
    elements = Html((folder / "card.html").read_text("utf-8")).elements
    tables = [place for place, (tag, _, _) in enumerate(elements) if tag == "table"]
    assert len(tables) >= 7
    for start, end in zip(tables, [*tables[1:], len(elements)], strict=True):
        part = elements[start:end]
        scopes = [given.get("scope") for tag, given, _ in part if tag == "th"]
        inside = [one for one in part if "tbody" in one[2] and one[0] == "tr"]
        assert scopes.count("col") >= 2
        assert scopes.count("row") == len(inside) > 0
        assert [tag for tag, _, _ in part].count("caption") == 1


def test_no_two_regions_of_the_page_have_the_same_name(folder):
    told = sections.sections(card_of(folder), RiskModel.load(folder).inputs)
    names = [one.title for one in told] + [table.caption for one in told for table in one.tables]
    assert len(names) == len(set(names))


def test_headings_go_down_by_one_and_both_languages_are_marked(folder):
    page = Html((folder / "card.html").read_text("utf-8"))
    assert [tag for tag, _, _ in page.elements if re.fullmatch(r"h\d", tag)] == ["h1"] + ["h2"] * len(EVERY_SECTION)
    assert page.elements[0][1] == {"lang": "zh-Hans"}
    assert {given["lang"] for _, given, _ in page.elements if "lang" in given} == {"zh-Hans", "en"}


def test_names_from_the_data_are_words_on_the_page_never_markup(tested):
    page = (tested / "card.html").read_text("utf-8")
    assert "<b>" not in page
    assert "&lt;b&gt;" in page


def test_every_picture_is_well_formed_and_says_what_it_shows_to_who_cannot_see_it(folder):
    found = drawn_in(folder)
    assert found
    for one in found:
        assert one.tag == f"{SVG}svg"
        assert one.get("role") == "img"
        for tag in ("title", "desc"):
            said = one.find(f"{SVG}{tag}")
            assert said.get("id") in one.get("aria-labelledby").split()
            assert len(said.text) > 8
        assert one.find(f".//{SVG}metadata") is None
        assert {text.get("style").count("sans-serif") for text in one.iter(f"{SVG}text")} == {1}


def test_drawn_twice_the_bytes_are_the_same_whatever_the_machines_own_taste(tested):
    import matplotlib as mpl

    told = card_of(tested)
    once = pictures.of(told)
    with mpl.rc_context({"font.size": 30, "svg.fonttype": "path", "axes.facecolor": "pink", "lines.linewidth": 9}):
        assert pictures.of(told) == once
        assert mpl.rcParams["font.size"] == 30
    page = (tested / "card.html").read_text("utf-8")
    assert all(one in page for one in once.values())
    assert card.as_html(told, RiskModel.load(tested).inputs, once) == page


def test_the_roc_picture_names_the_auc_and_ks_of_the_rows(rows):
    curve = curves.roc(*rows)
    words = [one.text for one in ET.fromstring(pictures.roc(curve)).iter(f"{SVG}text")]
    assert f"AUC {evaluate.auc(*rows):.3f}" in words
    assert f"KS {evaluate.ks(*rows):.3f}" in words


def test_the_kept_points_are_few_and_still_the_same_curve(rows):
    curve = curves.roc(*rows)
    across, up = np.array(curve["points"]).T
    assert len(across) <= curves.MOST_POINTS
    assert (across[0], up[0], across[-1], up[-1]) == (0, 0, 1, 1)
    assert np.trapezoid(up, across) == pytest.approx(evaluate.auc(*rows), abs=0.002)
    assert np.abs(up - across).max() == pytest.approx(evaluate.ks(*rows))
    assert [across[np.argmax(up - across)], up[np.argmax(up - across)]] == curve["ks_at"]


def test_rows_with_one_estimate_are_one_step_of_the_curve():
    curve = curves.roc(np.array([0.0, 1.0, 0.0, 1.0]), np.full(4, 0.2))
    assert curve["points"] == [[0, 0], [1, 1]]
    assert (curve["auc"], curve["ks"]) == (0.5, 0)


def test_scores_grades_and_vintages_count_every_row_once(rows):
    labels, probability = rows
    days = np.datetime64("2023-01-10") + np.arange(4000) % 500
    told = curves.drawn(labels, probability, days)
    bins = told["histogram"]
    assert (sum(bins["bad"]), sum(bins["good"])) == (labels.sum(), (1 - labels).sum())
    assert len(bins["edges"]) == len(bins["good"]) + 1
    assert [one["grade"] for one in told["grade_table"]] == [name for name, _ in GRADES]
    assert sum(one["n"] for one in told["grade_table"]) == sum(one["n"] for one in told["vintages"]) == 4000
    assert [one["period"] for one in told["vintages"]] == ["2023Q1", "2023Q2", "2023Q3", "2023Q4", "2024Q1", "2024Q2"]
    first = labels[days < np.datetime64("2023-04-01")]
    assert told["vintages"][0]["observed"] == pytest.approx(first.mean())
    assert told["vintages"][0]["low"] < first.mean() < told["vintages"][0]["high"]


def test_a_long_stretch_is_told_by_years_and_a_small_cell_by_its_size_only(rows):
    labels, probability = (part[:1009] for part in rows)
    days = np.repeat(np.array(["2019-05-01", "2020-07-01", "2023-02-01"], "datetime64[D]"), [500, 500, 9])
    found = curves.by_vintage(labels, probability, days)
    assert [(one["period"], one["n"]) for one in found] == [("2019", 500), ("2020", 500), ("2023", 9)]
    assert found[0]["events"] == labels[:500].sum()
    assert all(found[2][name] is None for name in ("events", "predicted", "observed", "low", "high"))


def test_what_moved_stands_first_and_under_its_name():
    random = np.random.default_rng(0)
    then, now = random.normal(size=(2, 2000, 3))
    found = curves.moved(then, now + np.array([0, 0.45, 1.2]), ["still", "shifted", "gone"])
    assert [(one["name"], one["state"]) for one in found] == [
        ("gone", "moved"),
        ("shifted", "watch"),
        ("still", "stable"),
    ]
    assert found[2]["psi"] < 0.02


def test_the_cards_psi_names_every_input_and_the_score(tested, learnt):
    told = card_of(tested)["psi"]
    assert {one["name"] for one in told} == {*(one.name for one in learnt), "score"}
    assert max(one["psi"] for one in told) < 0.25


def test_figures_of_a_small_segment_are_on_neither_card_nor_picture(tested):
    told = next(one for one in card_of(tested)["segments"]["district"] if one["segment"] == "<b>")
    assert told["suppressed"]
    assert "&lt;b&gt;" not in pictures.of(card_of(tested))["segments"]
    assert re.search(r"\| <b> \| \d+ \| – \| – \| – \| – \|", (tested / "card.md").read_text("utf-8"))


def test_a_picture_of_many_long_and_chinese_names_keeps_the_names_readable():
    many = [
        {"name": f"一个非常长的输入名称用来看看左边是否放得下第{n}个", "psi": 1 / n, "state": "moved"}
        for n in range(1, 40)
    ]
    words = [one.text for one in ET.fromstring(pictures.psi(many)).iter(f"{SVG}text")]
    assert len([one for one in words if one and one.startswith("一个")]) == pictures.MOST_BARS


def test_the_page_of_an_artifact_is_written_as_it_was_hashed(tested, tmp_path):
    assert card.write_html(tested, tmp_path / "card.html").read_bytes() == (tested / "card.html").read_bytes()
    assert "card.html" in json.loads((tested / "manifest.json").read_text("utf-8"))["files"]


def test_an_artifact_from_before_the_pages_still_gets_one(tested, tmp_path):
    files, _ = artifact.opened(tested)
    told = json.loads(files["card.json"])
    new = ("roc", "histogram", "grade_table", "grades_turned", "vintages", "psi")
    old = {name: value for name, value in told.items() if name not in new}
    kept = {name: text for name, text in files.items() if name != "card.html"}
    folder = artifact.save({**kept, "card.json": artifact.written(old)}, tmp_path / "old")
    page = Html(card.write_html(folder, tmp_path / "old.html").read_text("utf-8"))
    assert [given["id"] for tag, given, _ in page.elements if tag == "h2"] == EVERY_SECTION
    assert [tag for tag, _, _ in page.elements].count("svg") == 3


def test_a_changed_page_and_a_place_that_cannot_be_written_are_one_sentence(tested, tmp_path):
    with pytest.raises(ArtifactError, match="cannot be written"):
        card.write_html(tested, tmp_path / "no" / "card.html")
    shutil.copytree(tested, tmp_path / "model")
    path = tmp_path / "model" / "card.html"
    path.write_text(path.read_text("utf-8").replace("AUC", "auc"), "utf-8")
    with pytest.raises(ArtifactError, match=r"card\.html is not the file"):
        card.write_html(tmp_path / "model", tmp_path / "out.html")
