"""The city's reporting areas: GB/T 2260 divisions and the functional areas that report beside them.

A reporting area is where a firm is counted today. It is not digits 3–8 of its code: those name the authority that once
registered it. 郑东新区 has no division code of its own and is a reporting area all the same.
"""

from dataclasses import dataclass

CITY = "410100"


@dataclass(frozen=True)
class Region:
    """One reporting area; `kind` is district, county, city or functional."""

    code: str
    zh: str
    en: str
    kind: str


REGIONS = {
    region.code: region
    for region in (
        Region("410102", "中原区", "Zhongyuan District", "district"),
        Region("410103", "二七区", "Erqi District", "district"),
        Region("410104", "管城回族区", "Guancheng Hui District", "district"),
        Region("410105", "金水区", "Jinshui District", "district"),
        Region("410106", "上街区", "Shangjie District", "district"),
        Region("410108", "惠济区", "Huiji District", "district"),
        Region("410122", "中牟县", "Zhongmu County", "county"),
        Region("410181", "巩义市", "Gongyi City", "city"),
        Region("410182", "荥阳市", "Xingyang City", "city"),
        Region("410183", "新密市", "Xinmi City", "city"),
        Region("410184", "新郑市", "Xinzheng City", "city"),
        Region("410185", "登封市", "Dengfeng City", "city"),
        Region("410171", "经开区", "Economic and Technological Development Zone", "functional"),
        Region("410172", "高新区", "High-tech Zone", "functional"),
        Region("410173", "航空港区", "Airport Economy Zone", "functional"),
        Region("ZDXQ", "郑东新区", "Zhengdong New Area", "functional"),
    )
}


def find(code_or_name: str) -> Region | None:
    """The area of a code or a Chinese name."""
    return REGIONS.get(code_or_name.upper()) or _BY_NAME.get(code_or_name)


_BY_NAME = {region.zh: region for region in REGIONS.values()}
