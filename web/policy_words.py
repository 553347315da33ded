"""The policy's own words for pages: criteria by name, in the language of the page."""

from matching.policy import INVOICES_POLICY_FILE, Policy, kept_policy
from web.language import SOURCE, spoken


def _policies() -> tuple[Policy, ...]:
    """The city's policy, and the one for a run where only invoices are known."""
    return kept_policy(None), kept_policy(INVOICES_POLICY_FILE)


def criterion_name(criterion: str) -> str:
    """A criterion's name; its id where no policy of ours knows it (a verdict older than the rule)."""
    for policy in _policies():
        for rule in policy.criteria:
            if rule.id == criterion:
                return rule.name.zh if spoken() == SOURCE else rule.name.en
    return criterion
