"""The guard against double declines: after a refusal or silence only a bank likely enough to make an offer is asked."""

from matching.terms import Flags, Floats


def hopeless(p_offer: Floats, turned_down: Flags, floor: float) -> Flags:
    """Pairs that may not be pushed: the demand was turned down before, and the chance is under the policy's floor.

    p_offer, turned_down: per pair; `floor` the policy's acceptance_floor. A demand all of whose pairs are hopeless
    gets a dated plan instead of a second push.
    """
    shut: Flags = turned_down & (p_offer < floor)
    return shut
