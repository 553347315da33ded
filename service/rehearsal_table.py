"""What a rehearsal found, for the command line: history once more, lights, lists, what may be expected."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from rich.table import Table

from service.domain.rehearsed_outcome import REST
from service.domain.standards.industries import SECTIONS
from service.domain.standards.regions import REGIONS

OPEN_LOOP = (
    "开环：每天只用当天存下的输入，不结转；预计授信用当天存下的成交可能，区间只含偶然性。\n"
    "Open loop: each day on its stored inputs, nothing carried over; grants expected with that day's stored "
    "acceptance, intervals hold chance alone."
)
OTHER_SOLVER = "Made by another version of the solver: not made again, found right by the referee."
CUTS = {"district": "区县 district", "industry": "行业 industry"}
SIDES = {"old": "当时 then", "new": "新 new", "change": "变化 change"}


def replayed(found: dict[str, Any]) -> Iterator[tuple[str, bool]]:
    """Sentences on whether history came out once more, each with whether it did."""
    replay = found["replay"]
    own = replay["verdicts"] - replay["elsewhere"]
    same = replay["same"] == own
    yield f"现行口径重放研判：{replay['same']} / {own} 逐字节一致。 Verdicts reproduced to the byte.", same
    if not same:
        yield f"不一致的研判 Verdicts that differ: {', '.join(map(str, replay['different']))}", False
    if replay["elsewhere"]:
        yield (
            f"另有 {replay['elsewhere']} 份按其他版本的口径作出，未重放。 Made under another version, not replayed.",
            True,
        )
    certified = replay.get("runs_certified", 0)
    whole = replay["runs_same"] + certified == replay["runs"]
    yield f"重放分配：{replay['runs_same']} / {replay['runs'] - certified} 轮一致。 Sharings out reproduced.", whole
    if certified:
        yield f"另有 {certified} 轮由其他版本的分配程序作出，未重做，已按凭证复核无误。 {OTHER_SOLVER}", True
    if not whole:
        named = ", ".join(f"{day} #{run}" for day, run in replay["runs_different"])
        yield f"不一致的轮次 Runs that differ: {named}", False
    if replay["unreadable"]:
        yield f"{replay['unreadable']} 轮的输入读不出。 Runs whose inputs cannot be read.", False


def tables_of(found: dict[str, Any]) -> Iterator[Table]:
    """Lights, then expectations: of all, by district, by industry."""
    lights = Table(title=f"信灯 Lights: {found['demands']} 笔需求 demands, {found['firms']} 户 firms")
    for head in ("当时 then", "新口径 new lines", "笔 demands"):
        lights.add_column(head)
    for old, new, count in found["lights"]:
        lights.add_row(old, new, str(count), style=None if old == new else "bold")
    lists = found["lists"]
    lights.caption = (
        f"清单 Lists: 变长 grow {lists['grew']}, 变短 shrink {lists['shrank']}, 不变 same {lists['same']}; "
        f"新进入 join {found['joined']}, 退出 leave {found['left']}"
    )
    yield lights
    if found["whole"]:
        yield _cells("全部 all", [found["whole"]])
    for cut, name in CUTS.items():
        if found[cut]:
            yield _cells(name, found[cut])


def _cells(name: str, cells: list[dict[str, Any]]) -> Table:
    table = Table(title=f"{name}（均值与 95% 区间 mean and 95% interval）")
    heads = ("", "户 firms", "变灯 turned", "", "授信 grants", "万元 10k yuan", "利率 rate, %")
    for place, head in enumerate(heads):
        table.add_column(head, justify="left" if place in (0, 3) else "right", no_wrap=True)
    for cell in cells:
        for side, said in SIDES.items():
            one, is_first = cell[side], side == "old"
            lead = (_name(cell["key"]), str(cell["firms"]), str(cell["turned"])) if is_first else ("", "", "")
            table.add_row(*lead, said, grants(one), money(one), rate(one), end_section=side == "change")
    return table


def _name(key: str) -> str:
    """A district's or an industry's own name."""
    words = REGIONS.get(key) or SECTIONS.get(key)
    return words.zh if words else {REST: "其他 rest", "all": "全部 all"}.get(key, key)


def grants(one: dict[str, Any]) -> str:
    """Mean and interval."""
    mean, low, high = one["grants"]
    return f"{mean:,.1f} [{low:,.0f}, {high:,.0f}]"


def money(one: dict[str, Any]) -> str:
    """Ten thousand yuan."""
    mean, low, high = (Decimal(fen) / 1_000_000 for fen in one["amount_fen"])
    return f"{mean:,.0f} [{low:,.0f}, {high:,.0f}]"


def rate(one: dict[str, Any]) -> str:
    """Per cent."""
    if one["rate"] is None:
        return "–"
    mean, low, high = (Decimal(share) * 100 for share in one["rate"])
    return f"{mean:.2f} [{low:.2f}, {high:.2f}]"
