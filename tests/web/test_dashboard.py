"""The city drawn, figures as of a past day, and the way from every figure to its events."""

import json
import re
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.clock import Clock
from service.domain.people import the_platform
from service.domain.standards.regions import REGIONS
from service.settings import NotReady
from service.store.statistics import count
from tests.browser import Browser, an_app
from tests.builders import CITY, GAO, NOW, TODAY
from tests.lending import at
from tests.service.test_statistics import event
from web import tiles
from web.main import build_app

LATER = TODAY + timedelta(days=2)
DAYS = f"since={TODAY}&until={LATER}"


@pytest.fixture
def world(database):
    """100 wan drawn and told on its day; another 100 of the same day told two days later."""
    with database.transaction(the_platform("test")) as tx:
        count(tx, [event(1, on=TODAY)], TODAY, NOW)
        count(tx, [event(2, on=TODAY, is_first_loan=True)], LATER, at(LATER))


@pytest.fixture
def city(database, settings, world) -> Browser:
    return Browser(an_app(settings, database, Clock(demo_on=LATER)), database, CITY)


def test_the_time_machine_takes_out_what_came_later_and_says_so(city) -> None:
    now, then = city.opens(f"/figures?{DAYS}").words, city.opens(f"/figures?{DAYS}&as_of={TODAY}").words
    assert "200 万元" in now and "回看" not in now
    assert "100 万元" in then and "200 万元" not in then and "回看" in then
    events = city.opens(f"/figures/events?{DAYS}&kind=drawn&as_of={TODAY}").words
    assert "100 万元" in events and "回看" in events


def test_the_day_it_looks_back_to_goes_along_on_every_link_to_figures(city) -> None:
    for address in (f"/figures?by=month&map=drawn&{DAYS}&as_of={TODAY}", f"/figures/events?{DAYS}&as_of={TODAY}"):
        page = city.opens(address)
        leading = [link for link in page.links if link.startswith(("/figures?", "/figures/", "/figures.xlsx?"))]
        forgetful = [link for link in leading if f"as_of={TODAY}" not in link]
        assert len(leading) >= 1 and len(forgetful) == address.startswith("/figures?"), forgetful  # 'today's figures'
    assert "/projection" not in city.opens(f"/figures?{DAYS}&as_of={TODAY}").html


def test_every_area_and_every_number_of_a_chart_leads_to_the_events_it_is_the_sum_of(city) -> None:
    page = city.opens(f"/figures?{DAYS}&map=drawn")
    areas = re.findall(r'<a href="(/figures/events[^"]+)"><path', page.html)
    assert len(areas) == len(REGIONS)
    (jinshui,) = [one for one in areas if one.endswith("district=410105")]
    assert "200 万元" in city.opens(jinshui.replace("&amp;", "&")).words
    for chart in ("trend", "grid"):
        table = page.html.split(f'id="{chart}"')[1].split("</figure>")[0]
        cells = re.findall(r'data-value="200.0"><a href="([^"]+)"', table)
        assert cells
        assert "200 万元" in city.opens(cells[0].replace("&amp;", "&")).words


def test_the_api_and_the_workbook_say_which_day_they_are_of(city) -> None:
    said = city.client.get(f"/api/v1/figures?{DAYS}&as_of={TODAY}").json()
    assert said["as_of"] == str(TODAY)
    assert [cell["drawn"]["events"] for cell in said["figures"]] == [1]
    book = city.client.get(f"/figures.xlsx?{DAYS}&as_of={TODAY}")
    assert f"as-of-{TODAY}" in book.headers["content-disposition"]


@pytest.mark.parametrize("by", ["day", "month", "district", "bank", "product", "industry", "size"])
def test_every_row_of_every_cut_leads_to_its_events(city, by) -> None:
    page = city.opens(f"/figures?{DAYS}&by={by}")
    section = page.html.split('id="cut"')[1]
    addresses = re.findall(r'<th scope="row"><a href="([^"]+)"', section)
    assert addresses
    for address in addresses:
        assert "200 万元" in city.opens(address.replace("&amp;", "&")).words


def test_a_figure_leads_to_the_part_it_counts(city) -> None:
    said = city.opens(f"/figures/events?{DAYS}&kind=drawn&only=first").words
    assert "100 万元" in said and "200 万元" not in said
    assert city.opens(f"/figures/events?{DAYS}&only=x';--&industry=F&size=zzz").status == 200


def test_the_map_is_called_schematic_and_stands_beside_its_table(city) -> None:
    page = city.opens(f"/figures?{DAYS}")
    assert "示意图" in page.words and "金水区" in page.words
    assert page.html.count("<path d=") >= len(REGIONS)
    assert "group-4" in city.opens(f"/figures?{DAYS}&map=drawn").html
    assert city.opens(f"/figures?{DAYS}&map=nothing").status == 200


def test_a_district_has_no_map_of_the_others(city, database) -> None:
    assert "示意图" not in Browser(city.client.app, database, GAO).opens(f"/figures?{DAYS}").words


def test_every_area_has_one_tile() -> None:
    assert sorted(shape.code for shape in tiles.schematic().shapes) == sorted(REGIONS)


@given(st.lists(st.integers(0, 10**13), min_size=1, max_size=len(REGIONS)))
def test_more_is_never_in_a_lower_group_and_nothing_is_in_none(amounts) -> None:
    values = dict(zip(REGIONS, amounts, strict=False))
    found = tiles.groups(values)
    for one, value in values.items():
        assert (found[one] == 0) == (value == 0)
        assert 0 <= found[one] <= tiles.GROUPS
        assert all(found[one] >= found[other] for other, less in values.items() if less <= value)


def a_map(tmp_path, **said):
    square = [[[113.0, 34.0], [113.5, 34.0], [113.5, 34.5], [113.0, 34.0]]]
    features = [
        {"type": "Feature", "properties": {"code": code}, "geometry": {"type": "Polygon", "coordinates": square}}
        for code in REGIONS
    ]
    file = tmp_path / "map.geojson"
    file.write_text(json.dumps({"type": "FeatureCollection", "features": features, **said}), "utf-8")
    return file


def test_the_owners_map_replaces_ours_with_its_source_and_number(database, settings, world, tmp_path) -> None:
    file = a_map(tmp_path, source="市自然资源和规划局", approval="豫S〔2026〕001号")
    app = build_app(settings.model_copy(update={"map": file}), database, Clock(demo_on=LATER))
    said = Browser(app, database, CITY).opens(f"/figures?{DAYS}").words
    assert "市自然资源和规划局" in said and "豫S〔2026〕001号" in said and "示意图" not in said


@pytest.mark.parametrize("said", [{}, {"source": "x"}, {"source": "x", "approval": " "}])
def test_a_map_without_source_or_number_is_refused(tmp_path, said) -> None:
    with pytest.raises(NotReady):
        tiles.ground(a_map(tmp_path, **said))


def test_a_map_that_lacks_an_area_is_refused(tmp_path) -> None:
    file = a_map(tmp_path, source="x", approval="y", features=[])
    with pytest.raises(NotReady, match="lacks"):
        tiles.ground(file)


def test_the_projection_is_large_names_nobody_and_comes_again_by_itself(city) -> None:
    page = city.opens(f"/projection?{DAYS}")
    assert 'data-size="24"' in page.html and 'hx-trigger="every 60s"' in page.html
    assert "200" in page.words and "示意图" in page.words
    assert "/sign-out" not in page.html and "郑州方记" not in page.words
    part = city.client.get(f"/projection?{DAYS}", headers={"hx-request": "true"}).text
    assert "every 60s" in part and "<html" not in part


def test_areas_with_few_households_have_no_number_on_the_screen(city) -> None:
    assert ">200</text>" in city.opens(f"/figures?{DAYS}").html
    drawn = city.opens(f"/projection?{DAYS}").html
    assert ">200</text>" not in drawn and ">0</text>" not in drawn and ">—</text>" in drawn
