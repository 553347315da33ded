"""The built files: listed, hashed, licensed, free of foreign addresses, served from memory for ever."""

import gzip
import hashlib
import json
import re

import pytest

from web.assets import STATIC, asset, edition

MANIFEST = json.loads((STATIC / "manifest.json").read_text("utf-8"))["files"]


@pytest.mark.parametrize("row", MANIFEST, ids=lambda row: row["file"])
def test_every_file_is_what_the_manifest_says(row):
    assert hashlib.sha256((STATIC / row["file"]).read_bytes()).hexdigest() == row["sha256"]


def test_no_file_is_missing_from_the_manifest():
    here = {path.relative_to(STATIC).as_posix() for path in STATIC.rglob("*") if path.is_file()}
    assert here - {row["file"] for row in MANIFEST} == {"manifest.json"}


def test_every_part_names_version_licence_and_its_text():
    for row in MANIFEST:
        assert row["contains"] or row["file"].startswith("licences/")
        for part in row["contains"]:
            assert part["version"]
            assert part["licence"]
            if part["name"] != "xindeng":
                assert (STATIC / part["text"]).stat().st_size > 200


def test_the_lockfile_records_no_address_of_a_registry():
    folder = STATIC.parent / "assets"
    locked = json.loads((folder / "package-lock.json").read_text("utf-8"))
    assert all("resolved" not in package for package in locked["packages"].values())
    wanted = json.loads((folder / "package.json").read_text("utf-8"))["devDependencies"]
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in wanted.values())
    assert "registry" not in (folder / ".npmrc").read_text("utf-8").replace("omit-lockfile-registry-resolved", "")


def test_the_style_loads_nothing_from_elsewhere_and_holds_no_data_pictures():
    style = (STATIC / "xindeng.css").read_text("utf-8")
    for address in re.findall(r"url\(\"?([^\")]+)", style):
        assert (STATIC / address).is_file(), address
    assert "data:" not in style
    assert "@import" not in style


def test_no_page_carries_more_than_a_phone_should_load():
    first = sum(len(gzip.compress((STATIC / name).read_bytes())) for name in ("xindeng.css", "htmx.js", "xindeng.js"))
    charts = sum(len(gzip.compress((STATIC / name).read_bytes())) for name in ("echarts.js", "charts.js"))
    assert first < 60_000
    assert first + charts < 400_000


def test_a_file_is_packed_and_kept_for_ever_under_its_edition(browser):
    answer = browser.get(asset("xindeng.css"), headers={"accept-encoding": "gzip"})
    assert answer.status_code == 200
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["content-type"].startswith("text/css")
    assert answer.text == (STATIC / "xindeng.css").read_text("utf-8")


def test_a_file_of_an_older_edition_is_served_but_not_kept(browser):
    answer = browser.get(f"/static/{'0' * len(edition())}/htmx.js")
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "public, max-age=300"


@pytest.mark.parametrize("name", ["nothing.css", "../main.py", "..%2fmain.py", "manifest.json", "", "icons"])
def test_what_is_not_listed_is_not_served(browser, name):
    assert browser.get(f"/static/{name}").status_code == 404


def test_an_asset_we_do_not_have_is_a_mistake_of_ours():
    with pytest.raises(KeyError, match=r"nothing\.css"):
        asset("nothing.css")
