"""The unified social credit code: the standard's example, published codes, and every way to get one wrong."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.cn import uscc as stdnum_uscc

from service.domain.standards import uscc
from service.domain.standards.uscc import ALPHABET, CodeState

PUBLISHED = [
    "91350100M000100Y43",
    "91110000600037341L",
    "9131000063159284XQ",
    "91330100799655058B",
    "9144030071526726XG",
    "914403001922038216",
    "91100000100003962T",
    "911100001000044477",
    "9144030010001686XA",
    "91440400192548256N",
]
SYNTHETIC = [
    "91410199MA00004100",
    "91410199MA0000365Y",
    "91410199MA0000242X",
    "91410105MA0000015K",
    "92410105MA0000023B",
    "93410122MA0000031N",
    "N2410181MF0000048U",
]
WRONG = ["91350100M000100Y4Z", "A1110000600037341L", "91350211M0000XUF46", "91350100M0001TGQXM", "91310115MA1H8R7C6D"]
EXAMPLE = "91110000600037341L"


@pytest.mark.parametrize("code", PUBLISHED + SYNTHETIC)
def test_a_published_or_well_made_code_is_valid(code: str) -> None:
    assert uscc.is_valid(code)


@pytest.mark.parametrize("code", WRONG)
def test_a_wrong_code_is_not_valid(code: str) -> None:
    assert not uscc.is_valid(code)


def test_the_standards_worked_example_comes_out_as_in_the_standard() -> None:
    total = sum(ALPHABET.index(c) * w for c, w in zip("91350100M000100Y4", uscc.WEIGHTS, strict=True))
    assert (total, total % 31, uscc.check_character("91350100M000100Y4")) == (1640, 28, "3")
    assert uscc.WEIGHTS == (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)


@pytest.mark.parametrize(
    ("code", "expected"),
    [("91350211M0000XUF46", "R"), ("91350100M0001TGQXM", "1"), ("91310115MA1H8R7C6D", "7")],
)
def test_a_wrong_check_character_is_a_flag_and_not_a_refusal(code: str, expected: str) -> None:
    assert uscc.check_character(code[:17]) == expected
    assert uscc.state_of(code) is CodeState.WRONG_CHECK


@pytest.mark.parametrize(
    "code",
    ["91350100M000100Y4Z", "91110000600037341", "91110000600037341LL", "", "B1110000600037341L", "91A10000600037341L",
     "91110000600037341I", "企业0000600037341L"],
)  # fmt: skip
def test_a_code_that_cannot_be_one_has_a_bad_format(code: str) -> None:
    assert uscc.state_of(code) is CodeState.BAD_FORMAT


def test_every_single_change_of_a_character_is_caught() -> None:
    changed = [EXAMPLE[:i] + c + EXAMPLE[i + 1 :] for i in range(18) for c in ALPHABET if c != EXAMPLE[i]]
    assert len(changed) == 540
    assert not any(uscc.is_valid(code) for code in changed)


def test_every_swap_of_neighbours_is_caught() -> None:
    pairs = [i for i in range(17) if EXAMPLE[i] != EXAMPLE[i + 1]]
    swapped = [EXAMPLE[:i] + EXAMPLE[i + 1] + EXAMPLE[i] + EXAMPLE[i + 2 :] for i in pairs]
    assert len(swapped) == 10
    assert not any(uscc.is_valid(code) for code in swapped)


@pytest.mark.parametrize(
    "typed", [" 91110000600037341l ", "９１１１００００６０００３７３４１Ｌ", "91110000600037341l\t"]
)
def test_a_code_typed_carelessly_is_read_as_meant(typed: str) -> None:
    assert uscc.clean(typed) == EXAMPLE


def test_rural_collectives_are_valid_though_the_library_refuses_them() -> None:
    village = "N2410181MF0000048U"
    assert uscc.is_valid(village)
    assert not stdnum_uscc.is_valid(village)


def test_the_body_of_a_code_carries_its_own_check_character() -> None:
    assert all(uscc.body_is_consistent(code) for code in PUBLISHED + SYNTHETIC)
    assert uscc.body_is_consistent("91350211M0000XUF46")
    assert not uscc.body_is_consistent("91110000600037351L")


def test_a_synthetic_code_is_the_same_on_every_machine_and_in_an_unassigned_division() -> None:
    assert uscc.synthetic("enterprise", 41) == "91410199MA00004100"
    assert uscc.synthetic("enterprise", 36) == "91410199MA0000365Y"
    assert uscc.synthetic("village", 4).startswith("N2410199MF000004")


@given(st.sampled_from(["enterprise", "individual", "cooperative", "village"]), st.integers(0, 500_000_000))
def test_every_synthetic_code_is_valid_in_body_and_whole(kind: str, number: int) -> None:
    code = uscc.synthetic(kind, number)
    assert uscc.is_valid(code)
    assert uscc.body_is_consistent(code)


def test_synthetic_codes_are_never_the_same_for_two_firms() -> None:
    numbers = [*range(2000), *range(999_000, 1_002_000), *range(10_000_000, 10_002_000)]
    assert len({uscc.synthetic("individual", number) for number in numbers}) == len(numbers)


@given(st.lists(st.text(ALPHABET + "IOZ", min_size=18, max_size=18), max_size=20))
def test_judging_many_codes_at_once_gives_what_judging_each_gives(codes: list[str]) -> None:
    codes += [*PUBLISHED, *SYNTHETIC, "91350211M0000XUF46", EXAMPLE[:17] + "0"]
    letters = np.frombuffer("".join(codes).encode(), np.uint8).reshape(-1, 18)
    order = [CodeState.VALID, CodeState.WRONG_CHECK, CodeState.BAD_FORMAT]
    assert [order[state] for state in uscc.states_of_bytes(letters)] == [uscc.state_of(code) for code in codes]
