"""The forms of a page as somebody could fill them: controls with name, kind, words and what stands in them."""

from dataclasses import dataclass, field
from html.parser import HTMLParser

UNTYPED = {"hidden", "submit", "button", "image", "reset"}


@dataclass
class Control:
    """One input, select or textarea."""

    kind: str
    given: dict[str, str]
    value: str = ""
    options: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.given.get("name", "")

    @property
    def is_typed(self) -> bool:
        """Whether a person writes in it, rather than choosing."""
        return self.kind not in {"checkbox", "radio", "select", "file"}


@dataclass
class Asked:
    """One form: where it is sent, its fixed values, its controls, its first button."""

    action: str
    method: str
    hidden: dict[str, list[str]] = field(default_factory=dict)
    controls: list[Control] = field(default_factory=list)
    button: tuple[str, str] | None = None

    @property
    def asks(self) -> bool:
        """Whether it asks a person anything: a button alone is an act."""
        return self.method == "post" and bool(self.controls)


class AskedPage(HTMLParser):
    """A page read for its forms, its ids and the words that stand under each."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.html, self.forms, self.title = html, [], ""
        self.words: dict[str, str] = {}
        self.elements: dict[str, dict[str, str]] = {}
        self.summary: list[tuple[str, str]] = []
        self.order: list[str] = []
        self._open: list[tuple[str, str]] = []
        self._link: str | None = None
        self._control: Control | None = None
        self.feed(html)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attributes}
        if given.get("id"):
            self.elements[given["id"]] = given
        if tag in {"main", "h1"} or "error-summary" in given.get("class", "").split():
            self.order.append("summary" if "error-summary" in given.get("class", "") else tag)
        if tag == "form":
            self.forms.append(Asked(given.get("action", ""), given.get("method", "get").lower()))
        self._take_control(tag, given)
        if tag not in {"input", "meta", "link", "img", "br", "hr", "wbr"}:
            self._open.append((tag, given.get("id", "")))
            if self._in_summary and tag == "li":
                self.summary.append(("", ""))
            if self._in_summary and tag == "a":
                self.summary[-1] = (given.get("href", "").removeprefix("#"), "")

    @property
    def _in_summary(self) -> bool:
        return any(tag == "summary-box" for tag, _ in self._open)

    def _take_control(self, tag: str, given: dict[str, str]) -> None:
        if "error-summary" in given.get("class", "").split():
            self._open.append(("summary-box", ""))
        if not self.forms:
            return
        form = self.forms[-1]
        kind = given.get("type", "text") if tag == "input" else tag
        if tag == "button" and given.get("name") and form.button is None:
            form.button = (given["name"], given.get("value", ""))
        if tag == "input" and kind == "hidden":
            form.hidden.setdefault(given.get("name", ""), []).append(given.get("value", ""))
        elif tag in {"select", "textarea"} or (tag == "input" and kind not in UNTYPED and given.get("name")):
            self._control = Control(kind, given, given.get("value", ""))
            form.controls.append(self._control)
        elif tag == "option" and self._control is not None:
            self._control.options.append(given.get("value", ""))

    def handle_endtag(self, tag: str) -> None:
        while self._open:
            opened, _ = self._open.pop()
            if opened == tag:
                break
        if self._open and self._open[-1][0] == "summary-box" and tag == "div":
            self._open.pop()

    def handle_data(self, data: str) -> None:
        for tag, name in self._open:
            if name:
                self.words[name] = self.words.get(name, "") + data
            if tag == "title":
                self.title += data
        if self._in_summary and self.summary and data.strip():
            self.summary[-1] = (self.summary[-1][0], self.summary[-1][1] + data.strip())
        if self._open and self._open[-1][0] == "textarea" and self._control is not None:
            self._control.value += data
