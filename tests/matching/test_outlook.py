"""P(offer) is put right by how it did so far, P(grant | offer) by what followed; both say how sure they are."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matching.appetite import PRIOR_KEPT, WHOLE, Answer, Appetite, Ended, Traits
from matching.calibration import FEWEST, Around, Block, Calibration, Scored, before_of, fit_shifts, scatter_of
from matching.outlook import Heard, Learner, Outlook

SHOP = Traits("F", "micro", "green", "a1", "no", "410105")
KINDS = {1: "state", 2: "state", 3: "city"}


def scored(bank, offers, count, p=0.5, day=0, around=Around()):  # noqa: B008  frozen
    return [Scored(day, bank, around, p, float(place < offers)) for place in range(count)]


def season(draw, days=60, banks=(1, 2, 3), chance=0.6):
    """A learner after so many days of answers drawn by one chance, some with what stands around."""
    learner = Learner()
    for day in range(days):
        learner.hear(day, [
            Heard(
                Answer(bank, KINDS[bank], replace(SHOP, section=str(draw.choice(["F", "H"]))), draw.random() < chance),
                Around(str(draw.choice(["A", "B", ""])), str(draw.choice(["", "firm", "silent"]))),
            )
            for bank in banks
        ])  # fmt: skip
    return learner


def test_a_bank_that_offers_less_than_it_was_thought_to_is_thought_to_offer_less_and_another_is_not():
    shifts = fit_shifts(scored(1, 10, 60) + scored(2, 30, 60), 0)
    assert shifts["bank/1"] < -0.3
    assert shifts["bank/2"] > 0
    assert shifts["city"] + shifts["bank/2"] == pytest.approx(0, abs=0.35)


def test_few_answers_correct_nothing_and_old_ones_little():
    assert fit_shifts(scored(1, 0, FEWEST - 1), 0) == {}
    fresh, stale = fit_shifts(scored(1, 0, 60), 0), fit_shifts(scored(1, 0, 60), 300)
    assert fresh["city"] < 5 * stale["city"] < 0


def test_a_grade_that_is_granted_more_is_thought_to_be_and_what_nobody_knows_moves_nothing():
    good, bad = Around("A"), Around("E")
    shifts = fit_shifts(scored(1, 45, 60, around=good) + scored(1, 15, 60, around=bad) + scored(1, 30, 60), 0)
    moved = Calibration(shifts)
    assert moved.of_around(good) > 0.5 > -0.5 > moved.of_around(bad)
    assert moved.of_around(Around("Z", "firm")) == 0
    assert set(shifts) == {"city", "bank/1", "grade/A", "grade/E"}


def test_the_shifts_are_where_the_penalised_likelihood_is_highest():
    draw = np.random.default_rng(1)
    rows = [Scored(int(day), int(draw.integers(1, 4)), Around(str(draw.choice(["A", "B"]))),
                   float(draw.uniform(0.1, 0.9)), float(draw.random() < 0.4)) for day in range(80)]  # fmt: skip
    found = fit_shifts(rows, 80)

    def loss(shifts):
        whole = sum(
            value**2 * {"city": 1, "bank": 8, "grade": 4}[name.split("/")[0]] / 2 for name, value in shifts.items()
        )
        for one in rows:
            known = Calibration(shifts)
            odds = one.p / (1 - one.p) * np.exp(known.of_bank(one.bank_id) + known.of_around(one.around))
            p = odds / (1 + odds)
            whole -= 0.5 ** ((80 - one.day) / 30) * np.log(p if one.offered else 1 - p)
        return whole

    for name in found:
        assert loss(found) < min(loss(found | {name: found[name] + step}) for step in (-0.05, 0.05))


def test_an_answer_is_scored_before_it_is_learned():
    learner = Learner()
    learner.hear(1, [Heard(Answer(1, "state", SHOP, granted=True))] * 5)
    learner.hear(2, [Heard(Answer(1, "state", SHOP, granted=True))])
    prior = Appetite().estimate(1, "state", SHOP).p
    assert {one.p for one in learner.scored[:5]} == {prior}
    assert learner.scored[5].p > prior


@pytest.mark.parametrize(
    ("declines", "said"),
    [([], ""), ([()], "silent"), ([(), ("industry",)], "bank"), ([("industry",), ("cash_flow", "other")], "firm")],
)
def test_what_earlier_banks_made_of_a_demand_in_a_word(declines, said):
    assert before_of(declines) == said


def test_answers_that_scatter_widen_the_interval_and_even_ones_never_narrow_it():
    even = [Block(0.5, 50, 20, 10) for _ in range(40)]
    torn = [Block(0.5, 50, 20, offers) for offers in (2, 18) * 20]
    assert scatter_of([]) == scatter_of(even) == 1
    assert scatter_of(torn) > 5
    known = Learner()
    known.hear(0, [Heard(Answer(1, "state", SHOP, granted=True))] * 40)
    usual, wide = (Outlook(known.appetite, Calibration(scatter=one)).of_bank(1, "state").offer for one in (1.0, 3.0))
    assert wide.p == usual.p
    assert wide.high - wide.low > 1.5 * (usual.high - usual.low)


def test_the_interval_of_a_banks_next_answers_holds_nine_times_in_ten():
    inside, draw = [], np.random.default_rng(7)
    for _ in range(60):
        chance = draw.beta(4, 4)
        offer = season(draw, days=40, banks=(1,), chance=chance).outlook(40).of_bank(1, "state").offer
        inside.append(offer.low <= chance <= offer.high)
    assert 0.8 <= np.mean(inside) <= 1.0


def test_a_grant_is_an_offer_that_is_kept_and_a_bank_learns_from_others_what_follows_its_own():
    learner = Learner()
    learner.hear(0, [Heard(Answer(1, "state", SHOP, granted=True))] * 20)
    assert learner.outlook(1).of_line(1, "state", SHOP).kept.p == pytest.approx(PRIOR_KEPT)
    learner.follow(Ended(1, "state", place < 2) for place in range(20))
    line = learner.outlook(1).of_line(1, "state", SHOP)
    fresh = learner.outlook(1).of_line(2, "state", SHOP)
    assert line.kept.answers == 20
    assert fresh.kept.answers == 0
    assert line.kept.p < 0.5 * PRIOR_KEPT
    assert fresh.kept.p < 0.5 * PRIOR_KEPT
    assert fresh.kept.high - fresh.kept.low > 1.5 * (line.kept.high - line.kept.low)
    assert line.grant.p == pytest.approx(line.offer.p * line.kept.p)
    assert line.grant.low < line.grant.p < line.grant.high < line.offer.high


def test_a_line_whose_bank_was_too_late_counts_as_far_as_an_offer_was_likely():
    known = Appetite().learn_kept([Ended(1, "state", granted=True), Ended(1, "state", granted=False, offer=0.25)])
    assert known.counts["kept/b:1"] == (WHOLE + WHOLE // 4, WHOLE)
    grants, lines = 30, 100  # of a hundred lines half would be offered, and thirty are granted
    ended = [Ended(1, "state", granted=True)] * grants + [Ended(1, "state", granted=False, offer=0.5)] * (
        lines - grants
    )
    learner = Learner()
    learner.follow(ended)
    kept = learner.outlook(0).of_bank(1, "state").kept.p
    assert (grants + 0.5 * (lines - grants)) * kept == pytest.approx(grants, abs=2)


def test_what_follows_offers_changes_no_chance_of_an_offer():
    learner = season(np.random.default_rng(3))
    before = learner.outlook(60).of_line(1, "state", SHOP).offer
    learner.follow([Ended(1, "state", granted=False)] * 30)
    assert learner.outlook(60).of_line(1, "state", SHOP).offer == before


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000))
def test_many_pairs_are_estimated_as_single_ones_are(seed):
    draw = np.random.default_rng(seed)
    learner = season(draw, days=20)
    learner.follow(Ended(bank, KINDS[bank], bool(draw.random() < 0.5)) for bank in (1, 2, 2))
    known = learner.outlook(20)
    asked = [(replace(SHOP, section=section), Around(grade, before)) for section in "FHX"
             for grade, before in (("", ""), ("A", "firm"), ("B", "silent"))]  # fmt: skip
    columns = {name: [getattr(traits, name) for traits, _ in asked] for name in Traits.__annotations__}
    rows, at = (side.ravel() for side in np.meshgrid(np.arange(len(asked)), np.arange(3)))
    offer, grant = known.of_many(columns, [around for _, around in asked], np.array([1, 2, 3]), KINDS, rows, at)
    singly = [
        known.of_line(int(bank) + 1, KINDS[int(bank) + 1], *asked[row]) for row, bank in zip(rows, at, strict=True)
    ]
    assert np.allclose(offer, [one.offer.p for one in singly], rtol=1e-9)
    assert np.allclose(grant, [one.grant.p for one in singly], rtol=1e-9)
    none = np.zeros(0, np.int64)
    assert [
        len(side) for side in known.of_many(columns, [around for _, around in asked], np.array([1]), KINDS, none, none)
    ] == [0, 0]


def test_the_order_within_a_day_changes_nothing():
    draw = np.random.default_rng(5)
    day = [
        Heard(
            Answer(int(draw.integers(1, 4)), "state", SHOP, draw.random() < 0.5), Around(str(draw.choice(["A", "B"])))
        )
        for _ in range(60)
    ]
    one, other = Learner(), Learner()
    one.hear(0, day)
    other.hear(0, day[::-1])
    there, back = one.outlook(1), other.outlook(1)
    assert there.appetite == back.appetite
    assert there.calibration.shifts == pytest.approx(back.calibration.shifts, abs=1e-8)


def test_a_state_comes_back_as_it_was_and_one_of_the_first_version_as_it_was_then():
    learner = season(np.random.default_rng(4))
    learner.follow([Ended(1, "state", granted=True), Ended(3, "city", granted=False, offer=0.25)])
    known = learner.outlook(60)
    assert Outlook.from_json(known.to_json()) == known
    old = Outlook.from_json(learner.appetite.to_json())
    line = old.of_line(1, "state", SHOP)
    assert line.offer == learner.appetite.estimate(1, "state", SHOP)
    assert line.grant.p == line.offer.p
    with pytest.raises(ValueError, match="version 9"):
        Outlook.from_json({"version": 9})
