"""Real firms' invoices (CUMCM 2020, problem C) as feeds of the catalogue's invoice item, counted to the fen.

The files name firms E1 … E425 and mask everything else. Their codes here are synthetic and depend on the number alone.
They carry no invoice code, and an invoice number may come back within a firm and direction: then its how-manieth
occurrence is written as the code, so that each of the rows is a record of its own.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from service.actions.enter_firms import FirmStub
from service.city.rows import yuan
from service.domain.errors import NotPossible
from service.domain.standards import uscc

FIRST_NUMBER = 900_000  # of the synthetic codes: far from those of the synthetic city
GROUPS = ("123", "302")
DIRECTIONS = {"in": "销方单位代号", "out": "购方单位代号"}
SIGNS = {"positive": 1, "zero": 0, "negative": -1}


@dataclass(frozen=True)
class Source:
    """The folder's firms: their stubs, and for the 123 whether they defaulted."""

    stubs: list[FirmStub]
    labels: dict[str, int]
    """uscc → 1 for 违约, of the 123."""
    asking: list[str]
    """uscc of the 302."""
    codes: dict[str, str]
    """企业代号 → uscc."""


def read_firms(folder: Path) -> Source:
    """Who is in the files. The bank's letter rating is not read: it is an outcome."""
    known, asking = (_enterprises(folder, group) for group in GROUPS)
    names = {**_names(known), **_names(asking)}
    kinds = {firm: "individual" if name.startswith("个体") else "enterprise" for firm, name in names.items()}
    codes = {firm: uscc.synthetic(kinds[firm], FIRST_NUMBER + int(firm[1:])) for firm in names}
    return Source(
        stubs=[FirmStub(codes[firm], f"{name}（{firm}）", kinds[firm]) for firm, name in names.items()],
        labels={
            codes[firm]: int(word == "是")
            for firm, word in zip(known["企业代号"].tolist(), known["是否违约"].tolist(), strict=True)
        },
        asking=[codes[firm] for firm in asking["企业代号"].tolist()],
        codes=codes,
    )


def _enterprises(folder: Path, group: str) -> pd.DataFrame:
    path = folder / f"enterprises_{group}.parquet"
    if not path.is_file():
        raise NotPossible("文件夹“{folder}”中没有 {name}，请检查路径。", folder=str(folder), name=path.name)
    return pd.read_parquet(path)


def _names(frame: pd.DataFrame) -> dict[str, str]:
    names = dict(zip(frame["企业代号"].str.strip(), frame["企业名称"].str.strip(), strict=True))
    return {firm: name.removesuffix(firm).strip() for firm, name in names.items()}


def write_feeds(folder: Path, source: Source, out: Path) -> Iterator[tuple[Path, pa.Table]]:
    """One Parquet feed per file of the folder, each with its table as handed in."""
    out.mkdir(parents=True, exist_ok=True)
    for group in GROUPS:
        for direction, party in DIRECTIONS.items():
            frame = pd.read_parquet(folder / f"invoices_{direction}_{group}.parquet")
            table = _as_feed(frame, source, direction, party)
            path = out / f"invoice__{direction}_{group}.parquet"
            pq.write_table(table, path, compression="zstd")
            yield path, table


def _as_feed(frame: pd.DataFrame, source: Source, direction: str, party: str) -> pa.Table:
    """The catalogue's fields; money rounded to the fen it was written in."""
    count = len(frame)
    firm = frame["企业代号"].astype(str).str.strip()
    again = (
        frame.assign(企业代号=firm).groupby(["企业代号", "发票号码"], sort=False, observed=True).cumcount().to_numpy()
    )
    status = frame["发票状态"].astype(str).str.strip().map({"有效发票": "valid", "作废发票": "void"})
    return pa.table(
        {
            "uscc": pa.array(firm.map(source.codes).astype(str)),
            "direction": pa.array([direction]).take(pa.array(np.zeros(count, np.int64))),
            "invoice_code": pa.array([None if one == 0 else str(one + 1) for one in again], pa.string()),
            "number": pa.array(frame["发票号码"].to_numpy()).cast(pa.string()),
            "issued_on": pa.array(frame["开票日期"], pa.date32()),
            "other_party": pa.array(frame[party].astype(str)),
            "net": yuan(_fen(frame["金额"])),
            "tax": yuan(_fen(frame["税额"])),
            "total": yuan(_fen(frame["价税合计"])),
            "status": pa.array(status.astype(str)),
        }
    )


def _fen(column: Any) -> Any:
    """Doubles of yuan with two decimals, exactly; ValueError where one has more."""
    exact = column.to_numpy(dtype="float64") * 100
    fen = np.round(exact).astype(np.int64)
    if np.abs(exact - fen).max(initial=0) > 1e-3:
        raise ValueError("An amount is finer than a fen")
    return fen


def totals_of(table: pa.Table) -> dict[tuple[str, str, str], tuple[int, int]]:
    """(direction, status, sign) → (invoices, fen of totals) of a feed as handed in."""
    fen = np.array([int(value.scaleb(2)) for value in table["total"].to_pylist()], np.int64)
    status = np.array(table["status"].to_pylist())
    direction = str(table["direction"][0])
    found = {}
    for word in np.unique(status).tolist():
        for name, sign in SIGNS.items():
            mine = fen[(status == word) & (np.sign(fen) == sign)]
            if len(mine):
                found[direction, word, name] = (len(mine), int(mine.sum()))
    return found
