"""From an item's fields to the record's one narrow shape: the columns every consumer reads, whatever the item."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from service.intake.catalogue import KNOWN_ON, ROLES, Field, Item

STAGED = pa.schema(
    [
        ("line", pa.int32()),
        ("uscc", pa.string()),
        ("key", pa.string()),
        ("known_on", pa.date32()),
        ("happened_on", pa.date32()),
        ("ends_on", pa.date32()),
        ("amount_fen", pa.int64()),
        ("quantity", pa.float64()),
        ("code", pa.string()),
        ("status", pa.string()),
        ("party", pa.string()),
        ("details", pa.string()),
        ("withdrawn_on", pa.date32()),
    ]
)
"""What is copied into the staging table, in its order."""

_ESCAPES = (("\\", "\\\\"), ('"', '\\"'), ("\n", "\\n"), ("\r", "\\r"), ("\t", "\\t"))


def canonical(item: Item, values: dict[str, pa.Array], lines: npt.NDArray[np.int32]) -> pa.Table:
    """The batch in the record's shape. `values` is what `checks.check` made of it, without its faulty rows."""
    by_role = {field.role: values[field.name] for field in item.fields if field.role in ROLES}
    made = {
        "line": pa.array(lines),
        "uscc": values["uscc"],
        "key": _key(item, values),
        "known_on": values[KNOWN_ON.name],
        "details": _details(item, values),
    }
    columns = [
        made.get(name, by_role.get(name, pa.nulls(len(lines), kind)))
        for name, kind in zip(STAGED.names, STAGED.types, strict=True)
    ]
    return pa.table(columns, schema=STAGED)


def _key(item: Item, values: dict[str, pa.Array]) -> pa.Array:
    parts = [_key_part(item.field(name), values[name]) for name in item.key]
    if len(parts) == 1:
        return parts[0]
    return pc.binary_join_element_wise(*parts, "|", null_handling="skip")


def _key_part(field: Field, values: pa.Array) -> pa.Array:
    if field.type != "month":
        return values
    coded = values.dictionary_encode()
    months = [day and f"{day:%Y-%m}" for day in coded.dictionary.to_pylist()]
    return pa.array(months, pa.string()).take(coded.indices)


def _details(item: Item, values: dict[str, pa.Array]) -> pa.Array:
    """The fields without a column as JSON, letter for letter as PostgreSQL prints the same jsonb."""
    if not item.details:
        return pa.nulls(len(values["uscc"]), pa.string())
    pieces: list[object] = []
    for place, field in enumerate(item.details):
        pieces.append(f'{", " if place else "{"}"{field.kept_as}": ')
        pieces.append(pc.fill_null(_json(values[field.name]), "null"))
    return pc.binary_join_element_wise(*pieces, "}", "")


def _json(values: pa.Array) -> pa.Array:
    if not pa.types.is_string(values.type):
        return values.cast(pa.string())
    for letter, escape in _ESCAPES:
        values = pc.replace_substring(values, letter, escape)
    values = pc.replace_substring_regex(values, r"[\x00-\x1f]", " ")
    return pc.binary_join_element_wise('"', values, '"', "")
