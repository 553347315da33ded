"""The main job on real invoices: everything counted, nothing made up, the list within its quota."""

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from risk import choice, grow
from service.city import real
from service.city.cumcm import read_firms
from service.domain.standards import uscc
from service.settings import Settings
from service.settings import settings as known_settings

pytestmark = pytest.mark.shared_data


@pytest.fixture(scope="module")
def files(shared_data: Path) -> Path:
    return shared_data / "cumcm2020c"


FEWER = choice.Menu((0.1, 1.0), (replace(grow.SMALL, steps=(20,)),))


@pytest.fixture(scope="module")
def summary(files: Path, settings: Settings) -> Iterator[dict[str, Any]]:
    surroundings = dict(os.environ)
    with pytest.MonkeyPatch.context() as fewer:
        fewer.setattr(choice, "MENU", FEWER)
        yield real.run_real(settings, files, Console(quiet=True))[1]
    os.environ.clear()
    os.environ.update(surroundings)
    known_settings.cache_clear()


def test_codes_are_synthetic_and_depend_on_the_number_alone(files: Path) -> None:
    first, again = read_firms(files), read_firms(files)
    assert first.codes == again.codes
    assert len(set(first.codes.values())) == 425
    assert all(uscc.is_valid(code) and code[2:8] == uscc.SYNTHETIC_DIVISION for code in first.codes.values())
    assert sum(first.labels.values()) == 27


@pytest.mark.soak
def test_every_invoice_is_there_and_the_totals_agree_to_the_fen(summary: dict[str, Any]) -> None:
    invoices = summary["invoices"]
    assert invoices["all"] == 1_099_441
    assert invoices["valid"] + invoices["void"] == invoices["all"]
    assert invoices["negative"] > 0
    assert invoices["reconciled"]
    assert summary["feeds"]["quarantined"] == summary["feeds"]["duplicates"] == 0


@pytest.mark.soak
def test_each_of_the_302_has_a_light_and_the_list_keeps_its_quota(summary: dict[str, Any]) -> None:
    assert sum(summary["lights"].values()) == summary["demands"]["reported"] == 302
    listed = summary["list"]
    assert listed["lines"] > 0
    assert listed["within_quota"]
    assert listed["certificate_is_valid"]
    assert listed["certificate"]["breaches"] == []


@pytest.mark.soak
def test_the_models_figure_comes_with_its_spread_and_its_caution(summary: dict[str, Any]) -> None:
    model = summary["model"]
    assert (model["n"], model["events"]) == (123, 27)
    assert 0.5 < model["auc"] < 1
    assert model["auc_spread"] > 0
    assert "out-of-time" in model["caution"]


@pytest.mark.soak
def test_what_cannot_be_judged_is_named_and_stands_first(summary: dict[str, Any]) -> None:
    named = {one["criterion"] for one in summary["not_judged_here"]}
    assert {"premises", "registration", "overdue", "use"} <= named
    assert list(summary)[1] == "not_judged_here"


@pytest.mark.soak
def test_the_summary_can_be_written_as_json(summary: dict[str, Any]) -> None:
    assert json.loads(json.dumps(summary)) is not None
