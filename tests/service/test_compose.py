"""Dockerfile and docker-compose.yml, checked without an engine: what they name exists, and nothing is left open."""

import re
from pathlib import Path
from typing import Any

import pytest
import typer.main
import yaml

from service.cli import app
from service.settings import Settings

ROOT = Path(__file__).parent.parent.parent
BOXES = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))["services"]
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
COMMANDS: dict[str, Any] = typer.main.get_command(app).commands  # type: ignore[attr-defined]
OURS = ("web", "jobs")


def instructions(word: str) -> list[str]:
    joined = DOCKERFILE.replace("\\\n", " ")
    return [line.split(maxsplit=1)[1] for line in joined.splitlines() if line.startswith(f"{word} ")]


def test_there_are_four_boxes() -> None:
    assert set(BOXES) == {"db", "redis", "web", "jobs"}


@pytest.mark.parametrize("name", OURS)
def test_every_command_and_option_exists(name: str) -> None:
    command, *rest = BOXES[name]["command"]
    options = {word for parameter in COMMANDS[command].params for word in parameter.opts}
    assert {word for word in rest if word.startswith("--")} <= options


def test_the_images_own_command_exists() -> None:
    assert instructions("ENTRYPOINT") == ['["xindeng"]']
    command, *rest = yaml.safe_load(instructions("CMD")[0])
    options = {word for parameter in COMMANDS[command].params for word in parameter.opts}
    assert {word for word in rest if word.startswith("--")} <= options


def test_every_image_is_named_with_a_version() -> None:
    for image in [box["image"] for box in BOXES.values()] + instructions("FROM"):
        name, _, tag = image.partition(":")
        assert name
        assert re.match(r"\d", tag), f"{image}: which version?"


def test_every_setting_named_is_a_setting() -> None:
    known = {f"XINDENG_{name.upper()}" for name in Settings.model_fields}
    named = set(re.findall(r"^\s+(XINDENG_\w+):", (ROOT / "docker-compose.yml").read_text(), re.MULTILINE))
    assert named
    assert named <= known
    assert set(re.findall(r"(XINDENG_\w+)=", DOCKERFILE)) <= known


def test_no_secret_stands_in_the_files_and_an_absent_one_stops_the_start() -> None:
    for box in BOXES.values():
        for name, value in box.get("environment", {}).items():
            if re.search("PASSWORD|SECRET", name):
                assert re.fullmatch(r"\$\{\w+:\?.+\}", value), name
    assert "${POSTGRES_PASSWORD:?" in BOXES["web"]["environment"]["XINDENG_DATABASE_URL"]
    example = dict(line.split("=", 1) for line in (ROOT / ".env.example").read_text().splitlines() if "=" in line[:40])
    assert example["POSTGRES_PASSWORD"] == example["XINDENG_SECRET"] == ""
    assert ".env" in (ROOT / ".gitignore").read_text().splitlines()


def test_only_the_pages_are_reachable_and_only_from_this_machine() -> None:
    assert [name for name, box in BOXES.items() if "ports" in box] == ["web"]
    assert BOXES["web"]["ports"] == ["127.0.0.1:${XINDENG_PORT:-8000}:8000"]
    assert instructions("EXPOSE") == ["8000"]
    assert BOXES["web"]["command"][-1] == "8000"


def test_every_box_is_watched_and_has_somebody_who_reaps_the_dead() -> None:
    for name, box in BOXES.items():
        assert box["init"] is True, name
        assert box["healthcheck"]["test"][0] == "CMD", name


@pytest.mark.parametrize("name", OURS)
def test_ours_run_without_rights(name: str) -> None:
    assert instructions("USER")[-1] not in {"root", "0"}
    assert BOXES[name]["cap_drop"] == ["ALL"]
    assert BOXES[name]["read_only"] is True
    assert BOXES[name]["depends_on"]["db"] == {"condition": "service_healthy"}
    assert BOXES[name]["volumes"] == ["platform:/var/lib/xindeng"]
    assert "XINDENG_HOME=/var/lib/xindeng" in DOCKERFILE


def test_what_the_image_copies_exists_and_is_not_ignored() -> None:
    allowed = (ROOT / ".dockerignore").read_text().splitlines()
    for line in instructions("COPY"):
        for source in line.split()[:-1]:
            assert (ROOT / source).exists(), source
            assert f"!{source}" in allowed
