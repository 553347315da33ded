"""Chinese is what is written, English is complete: nothing untranslated, nothing hard-coded, every code worded."""

import importlib
import pkgutil
import re
from enum import StrEnum
from pathlib import Path

import service.domain
from service.actions import settle_demand
from service.domain.push_list import LineState
from web import locale_tool, words
from web.render import TEMPLATES

ELSEWHERE = {"light_word": "light", "standing": "target_standing"}


def test_the_english_catalogue_is_complete_and_compiled():
    assert list(locale_tool.mistakes()) == []


def test_refusals_of_the_service_are_among_the_messages():
    said = {message.id for message in locale_tool.found()}
    assert "请先登录。" in said
    assert "绿灯" in said


def test_no_template_says_a_chinese_word_outside_a_message():
    several = r"ngettext\((?:[^()]|\([^()]*\))*\)"
    marked = re.compile(r"_\((?:\"[^\"]*\"|'[^']*')|\{% trans.*?endtrans %\}|\{#.*?#\}|" + several, re.DOTALL)
    own_names = {"中文"}
    for path in TEMPLATES.rglob("*.html"):
        if path.name == "styleguide.html":
            continue
        left = marked.sub("", path.read_text("utf-8"))
        assert set(re.findall(r"[\u4e00-\u9fff]+", left)) <= own_names, path.name


def enumerations() -> list[type[StrEnum]]:
    found: dict[str, type[StrEnum]] = {}
    for module in pkgutil.walk_packages(service.domain.__path__, "service.domain."):
        for value in vars(importlib.import_module(module.name)).values():
            if isinstance(value, type) and issubclass(value, StrEnum) and value is not StrEnum:
                found[value.__name__] = value
    return list(found.values())


def test_every_code_of_the_domain_has_its_word():
    assert len(enumerations()) > 15
    missing = []
    for enumeration in enumerations():
        group = re.sub(r"(?<!^)(?=[A-Z])", "_", enumeration.__name__).lower()
        known = words.GROUPS.get(ELSEWHERE.get(group, group), {})
        missing += [f"{group}.{code.value}" for code in enumeration if code.value not in known]
    assert missing == []


def test_every_notice_and_every_act_the_service_writes_has_its_word():
    """Beside this, a word that a page of any test lacks fails that test: tests/conftest.py."""
    actions = Path(service.domain.__path__[0]).parent / "actions"
    written = "\n".join(path.read_text("utf-8") for path in actions.glob("*.py"))
    notices = set(re.findall(r'Message\(\s*"([a-z_]+)"|\bkind(?:, values)? = "([a-z_]+)"', written))
    acts = set(re.findall(r'\bAct\(\s*"([a-z_]+)"', written))
    told = {literal or named for literal, named in notices} | {f"line_{state}" for state in LineState} - {"line_pushed"}
    assert len(told) > 20
    assert len(acts) > 25
    assert told - set(words.GROUPS["notice"]) == set()
    assert acts - set(words.GROUPS["verb"]) == set()


def test_every_reason_and_cause_of_a_light_has_its_word():
    written = Path(settle_demand.__file__).read_text("utf-8")
    reasons = set(re.findall(r'return [\w.]+(?:_light|\.value), "([a-z_]+)"', written)) | set(settle_demand.GOING_WELL)
    assert len(reasons) > 8
    assert reasons - set(words.GROUPS["light_reason"]) == set()
    actions = Path(settle_demand.__file__).parent
    called = "\n".join(path.read_text("utf-8") for path in actions.glob("*.py"))
    causes = set(re.findall(r'\bsettl(?:ing|e_demands|e_demand)\([^()]*(?:\([^()]*\)[^()]*)*"([a-z_]+)"\)', called))
    assert len(causes) > 8
    assert causes - set(words.GROUPS["verb"]) == set()


def test_every_light_has_shape_word_path_and_meaning():
    for code in ("green", "yellow", "red"):
        assert words.MARKS[code]
        for group in ("light", "light_path", "light_meaning"):
            assert words.of(group, code) != code
    assert len(set(words.MARKS.values())) == 3
