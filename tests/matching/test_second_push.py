"""After a refusal or silence, only a bank likely enough to grant is asked again."""

import numpy as np

from matching.appetite import Answer, Appetite, Traits
from matching.second_push import hopeless

RESTAURANT = Traits("H", "micro", "green", "a1", "no", "410105")


def test_only_a_demand_that_was_turned_down_is_guarded_and_only_under_the_floor():
    p_grant = np.array([0.10, 0.10, 0.15, 0.90])
    turned_down = np.array([True, False, True, True])
    assert hopeless(p_grant, turned_down, 0.15).tolist() == [True, False, False, False]


def test_a_bank_that_keeps_refusing_restaurants_for_industry_is_no_second_push_for_one():
    refusals = [Answer(7, "state", RESTAURANT, granted=False, reasons=("industry",))] * 6
    p = np.array([Appetite().learn(heard).estimate(7, "state", RESTAURANT).p for heard in ([], refusals)])
    assert hopeless(p, np.array([True, True]), 0.15).tolist() == [False, True]
