"""A policy file is checked when read: every fault is a sentence that names the place."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from matching.policy import INVOICES_POLICY_FILE, POLICY_FILE, PolicyError, load_policy

GOOD = POLICY_FILE.read_text(encoding="utf-8")

FAULTS = {
    "a number without quotes": ('{green: "0.5", yellow: "1.5"}', '{green: 0.5, yellow: "1.5"}', "must be quoted"),
    "a word for a number": ('{green: "0.5", yellow: "1.5"}', '{green: "half", yellow: "1.5"}', "is not a number"),
    "lines the wrong way": ('{green: "0.5", yellow: "1.5"}', '{green: "2", yellow: "1.5"}', "yellow line is stricter"),
    "a line too fine": ('{green: "0.5", yellow: "1.5"}', '{green: "0.50001", yellow: "1.5"}', "finer than the measure"),
    "a line missing": ('{green: "0.5", yellow: "1.5"}', '{green: "0.5"}', "exactly a green and a yellow"),
    "no date": ('      2024-10-15: {green: "0.5"', '      always: {green: "0.5"', "is not a date"),
    "an unknown measure": ("measure: amount_to_sales", "measure: moon_phase", "nobody has written the measure"),
    "an unknown group": ("group: premises\n", "group: castle\n", "group 'castle' is none of"),
    "an unknown office": ("office: tax\n", "office: taxes\n", "office 'taxes' is none of"),
    "an unknown blank": ("No tax arrears in the last 12 months.", "No {arrears}.", "which nothing fills"),
    "a brace too many": ("No tax arrears in the last 12 months.", "No arrears}.", "brace too many"),
    "one language missing": ('name: {zh: "当前逾期", en: "Overdue now"}', 'name: {zh: "当前逾期"}', "no words in 'en'"),
    "a criterion twice": ("- id: overdue\n", "- id: tax_arrears\n", "stands in the file twice"),
    "a key twice": ("    office: lending_bank\n", "    office: lending_bank\n    office: tax\n", "written twice"),
    "an unknown part": ("numbers:\n", "figures:\n", "nobody knows the part 'figures'"),
    "broken YAML": ("criteria:\n", "criteria: {\n", "not valid YAML"),
    "a clock of no days": ('lines: {2024-10-15: "15"}', 'lines: {2024-10-15: "0"}', "not a whole number of days"),
    "a share above one": ('share: "0.1"', 'share: "1.1"', "not between 0 and 1"),
    "no basis": ('en: "Notice 金发〔2024〕32号, real need"}', 'en: ""}', "no words"),
    "an unsure word": ("sure: practice\n    measure: days_overdue", "sure: perhaps\n    measure: days_overdue", "sure"),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_a_faulty_policy_is_refused_with_a_sentence(fault, tmp_path):
    before, after, sentence = FAULTS[fault]
    assert before in GOOD
    path = tmp_path / "draft.yaml"
    path.write_text(GOOD.replace(before, after, 1), encoding="utf-8")
    with pytest.raises(PolicyError, match=r"draft\.yaml: ") as refusal:
        load_policy(path)
    assert sentence in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_a_missing_file_is_a_sentence_too():
    with pytest.raises(PolicyError, match=r"nowhere.yaml: the file cannot be read"):
        load_policy(Path("nowhere.yaml"))


def test_a_day_before_the_first_line_has_no_policy():
    with pytest.raises(PolicyError, match="no line in force on 2020-01-01"):
        load_policy().on(date(2020, 1, 1))


def test_the_hash_is_of_the_bytes(tmp_path):
    path = tmp_path / "policy.yaml"
    path.write_text(GOOD + "# one more word\n", encoding="utf-8")
    assert load_policy(path).hash != load_policy().hash
    assert load_policy().hash == load_policy().hash


def test_clocks_numbers_and_review_are_those_in_force():
    day = load_policy().on(date(2026, 6, 1))
    assert (day.clock("contact").length, day.clock("contact").unit) == (3, "working_days")
    assert (day.clock("decision").length, day.clock("decision").unit) == (30, "calendar_days")
    assert day.number("max_open_lines") == 3
    assert day.number("weight_rate") + day.number("weight_speed") + day.number("weight_cover") == Decimal(1)
    assert day.review.mode == "automatic"
    assert load_policy().on(date(2026, 6, 1), "410105").review.mode == "sampled"
    with pytest.raises(PolicyError, match="no 'tea_break'"):
        day.clock("tea_break")


def test_the_policy_in_words_is_complete():
    for row in load_policy().on(date(2026, 6, 1), "410122").in_words():
        for words in (row.group, row.name, row.question, row.basis, row.green_line, row.yellow_line, row.office):
            assert words.zh
            assert words.en
    first = load_policy().on(date(2026, 6, 1), "410122").in_words()[0]
    assert first.green_line.en == "at least 6 months"


def test_where_only_invoices_are_known_the_inherited_clocks_reach_back_and_the_rest_is_named():
    policy = load_policy(INVOICES_POLICY_FILE)
    assert policy.on(date(2020, 2, 21)).clock("contact").length == 3
    assert {"registration", "premises", "use"} <= {one.criterion for one in policy.not_judged_here}
    assert policy.hash != load_policy().hash
