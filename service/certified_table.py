"""A day's re-checked lists for the command line: as a table, with every breach below it."""

from rich.table import Table

from service.actions.certify_day import CheckedDay

HEADS = ("轮次 run", "清单 lists", "推送项 lines", "价值 value", "上限 bound", "差距 gap", "违反 breaches")


def table_of(day: CheckedDay) -> Table:
    """One row a sharing out."""
    table = Table(title=f"匹配凭证 Certificates {day.on}")
    for head in HEADS:
        table.add_column(head, no_wrap=True, justify="right")
    for one in day.runs:
        found = one.proof
        figures = (f"{found.value:.4f}", f"{found.bound:.4f}", f"{found.gap:.3%}") if found is not None else ("–",) * 3
        table.add_row(str(one.run), str(one.lists), str(one.lines), *figures, str(len(one.breaches)))
    if any(not one.has_stage_prices for one in day.runs):
        table.caption = "未留存各阶段价格的轮次，上限偏松 Runs without stage prices: a right bound, less near"
    return table
