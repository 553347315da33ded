"""A person at the keyboard and nothing else: Tab to what is wanted, type, press; each stop is looked at on the way."""

from typing import Any

from tests.web.acceptance.measures import asked

MOST_STOPS = 400


class Keyboard:
    """Somebody's keyboard on an open page; `faults` has what was wrong with the stops of the focus, `keys` how many."""

    def __init__(self, page: Any) -> None:
        self.page, self.faults, self.keys = page, [], 0

    def press(self, key: str) -> None:
        self.page.keyboard.press(key)
        self.keys += 1

    def tab(self) -> dict[str, Any] | None:
        """One stop on; None where the page is left behind."""
        self.press("Tab")
        stop = asked(self.page, "stop")
        self.faults += stop["faults"] if stop else []
        return stop

    def to(self, wanted: str) -> None:
        """Tab until the focus is on what is wanted: a selector, or text=the words it begins with."""
        for _ in range(MOST_STOPS):
            if asked(self.page, "isOn", wanted):
                return
            self.tab()
        raise AssertionError(f"{wanted} is not reached by Tab on {self.page.url}")

    def types(self, wanted: str, words: str) -> None:
        """Replace what stands in a field."""
        self.to(wanted)
        self.press("Control+a")
        self.page.keyboard.type(words)
        self.keys += len(words)

    def chooses(self, wanted: str, value: str) -> None:
        """Of several radios the one with this value, by arrows; the first press takes the one that has the focus."""
        self.to(wanted)
        self.press("Space")
        for _ in range(30):
            if self.page.evaluate("document.activeElement.value") == value:
                return
            self.press("ArrowDown")
        raise AssertionError(f"no {value} among {wanted}")

    def selects(self, wanted: str, value: str) -> None:
        """Of a list the option with this value, by arrows."""
        self.to(wanted)
        for _ in range(60):
            if self.page.evaluate("document.activeElement.value") == value:
                return
            self.press("ArrowDown")
        raise AssertionError(f"no {value} in {wanted}")

    def ticks(self, wanted: str) -> None:
        self.to(wanted)
        self.press("Space")

    def dates(self, wanted: str, value: str) -> None:
        """A day as the field's own parts ask for it, in whichever order the system writes them."""
        year, month, day = value.split("-")
        self.to(wanted)
        for parts in ((year, month, day), (month, day, year), (day, month, year)):
            for place, part in enumerate(parts):
                self.page.keyboard.type(part)
                self.keys += len(part)
                if place < 2 and len(part) == 4:
                    self.press("ArrowRight")
            if self.page.evaluate("document.activeElement.value") == value:
                return
            self.press("ArrowLeft")
            self.press("ArrowLeft")
        raise AssertionError(f"{value} cannot be typed into {wanted}")

    def enters(self, wanted: str = "") -> None:
        """Enter where the focus is (or on what is wanted), and wait for the page it leads to."""
        if wanted:
            self.to(wanted)
        with self.page.expect_navigation():
            self.press("Enter")
        self.page.wait_for_load_state()
