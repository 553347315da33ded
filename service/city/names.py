"""Invented names: every brand begins with 拟 ('simulated'), every person is 某 ('a certain'), so nobody is meant."""

import numpy as np

from service.domain.standards.regions import REGIONS

FIRST = "青云岚川禾谷松石溪泽星辰晨曦远帆北辰南屏东篱明澈安和知行清嘉朗润博雅恒毅启元"
SECOND = "禾木林泉石舟川海山原野风帆桥岩峰谷渡台亭轩庭苑圃畔麓汀洲浦湾"
SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗"
GIVEN = "明华丽强军洋勇艳杰娟涛敏静伟芳磊燕平辉玲"
FORMS = {"enterprise": "有限公司", "individual": "店", "cooperative": "农民专业合作社", "village": "股份经济合作社"}


def firm_names(rng: np.random.Generator, kinds: list[str], words: list[str]) -> list[str]:
    """One name per firm, no two alike: a third character is added until they differ."""
    first = rng.integers(len(FIRST), size=len(kinds))
    second = rng.integers(len(SECOND), size=(len(kinds), 3))
    seen: set[str] = set()
    names = []
    for place, (kind, word) in enumerate(zip(kinds, words, strict=True)):
        brand = "拟" + FIRST[first[place]] + SECOND[second[place, 0]]
        for extra in range(1, 9):
            name = f"郑州{brand}{word}{FORMS[kind]}"
            if name not in seen:
                break
            brand += SECOND[(second[place, min(extra, 2)] + extra * place) % len(SECOND)]
        seen.add(name)
        names.append(name)
    return names


def person_names(rng: np.random.Generator, count: int) -> list[str]:
    """Masked as in published documents: 王某明."""
    first, last = rng.integers(len(SURNAMES), size=count), rng.integers(len(GIVEN), size=count)
    return [f"{SURNAMES[a]}某{GIVEN[b]}" for a, b in zip(first, last, strict=True)]


def addresses(rng: np.random.Generator, districts: list[str]) -> list[str]:
    """A street that does not exist in each district."""
    street, number = rng.integers(len(FIRST), size=len(districts)), rng.integers(1, 400, size=len(districts))
    return [
        f"郑州市{REGIONS[district].zh}拟{FIRST[a]}路{b}号"
        for district, a, b in zip(districts, street, number, strict=True)
    ]
