"""C-4: every form of every page, sent empty and with five bad values, comes back as mistakes should.

The title begins 错误：; a summary stands before the heading and takes the focus; each of its lines leads to the field
and says what stands beside it; the field names its error; what was typed is still there.
"""

import re

import pytest

from tests.browser import Browser, Page
from tests.web.acceptance.asked import Asked, AskedPage, Control
from tests.web.acceptance.pages import EXPECTED, PAGES
from tests.web.acceptance.town import Town

BAD = {
    "empty": "", "spaces": "  　 ", "far too long": "长" * 4000, "nonsense in full width": "１２．５．６",
    "negative": "-5", "letters": "abc<b>&\"'",
}  # fmt: skip
NOT_QUESTIONS = {
    "/display": "how a page is shown: an unknown choice changes nothing and leads back",
    "/styleguide": "a sample that is sent nowhere",
}


def filled(form: Asked, bad: str) -> dict[str, list[str]]:
    """What is sent: every question answered with the bad value, what is not typed left out."""
    sent = {name: list(values) for name, values in form.hidden.items()}
    for one in form.controls:
        if one.is_typed:
            sent[one.name] = [bad]
        elif bad.strip() and one.kind != "file":
            sent[one.name] = ["no such choice"]
    if form.button:
        sent.setdefault(form.button[0], [form.button[1]])
    return sent


def breaches(page: AskedPage, action: str, bad: str) -> list[str]:
    """Where an answer with mistakes leaves the pattern."""
    found = [] if page.title.startswith("错误：") else [f"title {page.title!r}"]
    if page.order[:3] != ["main", "summary", "h1"]:
        found.append(f"summary stands {page.order}")
    if "data-focus" not in page.html:
        found.append("summary takes no focus")
    controls = {
        one.name: one
        for form in page.forms
        for one in form.controls
        if form.method == "post" and form.action.split("?")[0] == action
    }
    for name, said in page.summary:
        if name:
            found += breaches_of_field(page, name, said)
    if not page.summary:
        found.append("no line in the summary")
    return found + [one for control in controls.values() for one in lost(control, bad)]


def breaches_of_field(page: AskedPage, name: str, said: str) -> list[str]:
    """One line of the summary and what it leads to."""
    if name not in page.elements:
        return [f"#{name} is not there"]
    beside = page.words.get(f"{name}-error", "").replace("错误：", "").strip()
    describes = any(f"{name}-error" in one.get("aria-describedby", "").split() for one in described(page))
    return ([] if beside == said else [f"#{name}: {said!r} above, {beside!r} beside"]) + (
        [] if describes else [f"#{name} does not name its error"]
    )


def described(page: AskedPage) -> list[dict[str, str]]:
    """Everything that says what describes it."""
    return [
        dict(re.findall(r'([\w-]+)="([^"]*)"', tag)) for tag in re.findall(r"<[^>]*aria-describedby[^>]*>", page.html)
    ]


def lost(control: Control, bad: str) -> list[str]:
    """What was typed and is gone; a password is never sent back."""
    if not control.is_typed or control.kind == "password" or control.value == bad:
        return []
    return [f"{control.name}: {control.value[:20]!r} instead of {bad[:20]!r}"]


@pytest.fixture(scope="module")
def opened(town: Town) -> dict[str, tuple[Browser, Page]]:
    """Every page of the list, as whoever's it is sees it."""
    people = {who: town.browser(who) for who, _ in PAGES.values()}
    return {name: (people[who], people[who].opens(town.page(name)[1])) for name, (who, _) in PAGES.items()}


def test_every_listed_page_opens_in_the_town(town: Town, opened: dict[str, tuple[Browser, Page]]) -> None:
    wrong = []
    for name, (_, page) in opened.items():
        address = town.page(name)[1]
        if (
            page.status != EXPECTED.get(name, 200)
            or page.address != address.split("?")[0]
            or page.html.count("<h1") != 1
        ):
            wrong.append((name, address, page.status, page.address, page.words[:200]))
    assert wrong == []


def kind_of(form: Asked) -> str:
    """What is asked and where it is sent, whoever's it is."""
    return re.sub(r"\d+", "{}", form.action.split("?")[0]) + str(sorted({one.name for one in form.controls}))


def questions(page: Page, seen: set[str]) -> dict[str, Asked]:
    """Its forms that ask something and are of no kind seen before."""
    found: dict[str, Asked] = {}
    for form in AskedPage(page.html).forms:
        kind = kind_of(form)
        if form.asks and form.action.split("?")[0] not in NOT_QUESTIONS and kind not in seen:
            found.setdefault(kind, form)
    return found


def test_every_form_that_is_filled_in_wrongly_comes_back_as_mistakes_should(
    town: Town, opened: dict[str, tuple[Browser, Page]], record_property
) -> None:
    seen, wrong, sent = set(), [], 0
    for name, (browser, page) in opened.items():
        if name in EXPECTED or not questions(page, seen):
            continue
        page = browser.opens(town.page(name)[1])  # as it stands after the mistakes before it
        for kind, form in questions(page, seen).items():
            action = form.action.split("?")[0]
            seen.add(kind)
            for how, bad in BAD.items():
                files = {one.name: ("", b"") for one in form.controls if one.kind == "file"}
                answer = browser.client.post(
                    form.action, data=filled(form, bad), files=files or None, follow_redirects=False
                )
                sent += 1
                if answer.status_code in (200, 303) and (bad.strip() or is_all_optional(form, page.html)):
                    break  # taken: a word is a word, and what it was asked about may be gone now
                if answer.status_code not in (409, 422):
                    wrong.append(f"{name}: {action}, {how}: {answer.status_code}")
                    continue
                wrong += [f"{name}: {action}, {how}: {one}" for one in breaches(AskedPage(answer.text), action, bad)]
    record_property("C-4", f"{len(seen)} forms, {sent} bad answers, {len(wrong)} at fault")
    assert wrong == []
    assert len(seen) >= 25


def is_all_optional(form: Asked, html: str) -> bool:
    """Whether the page says of each question that it may be left open."""
    return all(f'for="{one.given.get("id")}"' in html and "（选填）" in html for one in form.controls)
