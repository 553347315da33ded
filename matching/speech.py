"""How a measured value is said in the two languages: months, days, counts, shares, money, and named kinds."""

from collections.abc import Mapping
from decimal import Decimal

from matching.terms import Words

UNITS = ("months", "days", "count", "share", "money", "kind")
UNIT_WORDS = {"months": Words("个月", " months"), "days": Words("天", " days"), "count": Words("条", " entries")}


def say(value: Decimal, unit: str, names: Mapping[Decimal, Words]) -> Words:
    """A value in words; a value with a name of its own is called by it."""
    named = names.get(value)
    if named is not None:
        return named
    if unit == "share":
        text = f"{plain(value * 100)}%"
        return Words(text, text)
    if unit == "money":
        yuan = f"{value / 100:,.2f}"
        return Words(f"{yuan}元", f"CNY {yuan}")
    text = plain(value)
    return Words(text, text)


def plain(value: Decimal) -> str:
    """A decimal without trailing zeros or exponent: 0.0600 → 0.06, 1E+1 → 10."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def choice_words(fact: str, choice: str) -> Words:
    """The words of one choice of a fact, e.g. choice_words('use', 'stock'); KeyError where nobody named it."""
    zh, en = CHOICES[fact][choice]
    return Words(zh, en)


CHOICES: dict[str, dict[str, tuple[str, str]]] = {
    "use": {
        "working_capital": ("日常流动资金", "working capital"),
        "stock": ("采购进货", "buying stock"),
        "wages": ("发放工资", "paying wages"),
        "order": ("履行订单", "carrying out an order"),
        "renewal": ("续贷", "renewing a loan"),
        "equipment": ("购置设备", "buying equipment"),
        "premises_building": ("厂房店面建设装修", "building or fitting out premises"),
        "research": ("研发", "research and development"),
        "green": ("绿色改造", "green conversion"),
        "other": ("其他", "other"),
        "securities": ("股票证券", "shares and securities"),
        "wealth_products": ("理财产品", "wealth products"),
        "property_speculation": ("房地产投机", "property speculation"),
        "on_lending": ("转贷", "lending on"),
        "private_consumption": ("个人消费", "private consumption"),
    },
    "guarantee": {
        "credit": ("信用", "credit"),
        "mortgage": ("抵押", "mortgage"),
        "pledge": ("质押", "pledge"),
        "guarantee": ("保证", "guarantee"),
    },
    "firm_kind": {
        "enterprise": ("企业", "enterprise"),
        "individual": ("个体工商户", "individual business"),
        "cooperative": ("农民专业合作社", "farmers' cooperative"),
        "village": ("村集体经济组织", "village collective"),
    },
    "size": {
        "micro": ("微型", "micro"),
        "small": ("小型", "small"),
        "medium": ("中型", "medium"),
        "large": ("大型", "large"),
        "unclassified": ("未划型", "unclassified"),
    },
    "tax_grade": {
        "A": ("A级", "A"),
        "B": ("B级", "B"),
        "M": ("M级", "M"),
        "unrated": ("未评", "unrated"),
        "C": ("C级", "C"),
        "D": ("D级", "D"),
    },
    "premises": {
        "owned": ("自有", "owned"),
        "rented": ("租赁", "rented"),
        "online": ("网络经营场所", "a place on a platform"),
        "none": ("无", "none"),
    },
    "registration_status": {
        "active": ("存续", "active"),
        "moved": ("迁出", "moved"),
        "cancelled": ("注销", "cancelled"),
        "revoked": ("吊销", "revoked"),
    },
}
