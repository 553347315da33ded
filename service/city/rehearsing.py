"""The policy the demo's city official tries on its last days: older firms, who in return may ask for more."""

from datetime import timedelta

from matching.policy import POLICY_FILE, load_policy
from service.actions.rehearse_policy import Wish, ask_rehearsal, run_rehearsal
from service.city.city import City
from service.city.opening import DEMO
from service.city.steering import official
from service.clock import Clock
from service.settings import Settings
from service.store.database import Database

LONGEST = timedelta(days=13)
NAME = "policy-征求意见稿.yaml"
CHANGES = (
    ('version: "2026.1"', 'version: "2026.2-征求意见稿"'),
    ('2024-10-15: {green: "12", yellow: "6"}', '2024-10-15: {green: "24", yellow: "12"}'),
    ('2024-10-15: {green: "0.5", yellow: "1.5"}', '2024-10-15: {green: "0.8", yellow: "2"}'),
)
"""A year of business at least, as some places ask, two to be green; in return more may be asked for against sales."""


def tried_policy() -> bytes:
    """The policy as shipped, with the changes; ValueError where it no longer has a line that is to be changed."""
    text = POLICY_FILE.read_text("utf-8")
    for old, new in CHANGES:
        if text.count(old) != 1:
            raise ValueError(f"not once in {POLICY_FILE.name}: {old}")
        text = text.replace(old, new)
    return text.encode()


def rehearse(database: Database, settings: Settings, city: City) -> str:
    """Ask as the city's official does, and do it as the worker does; how it ended. `settings` are a demo's."""
    clock, last = Clock(settings.demo_on), city.when.end
    wish = Wish(NAME, tried_policy(), max(last - LONGEST, city.when.start), last)
    with database.transaction(DEMO) as tx:
        key = ask_rehearsal(tx, official(tx), wish, load_policy(settings.policy), clock.today(), clock.now())
    return run_rehearsal(settings, key)
