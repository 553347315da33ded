"""A bank's list: a firm's code and a line's are compared in the collation of firms, so an index must have it."""

import pytest
from sqlalchemy import text

from tests.builders import PLATFORM

pytestmark = pytest.mark.database

COLLATIONS = text("""
    SELECT a.attcollation AS of_firms, i.indcollation[0] AS of_index
    FROM pg_attribute a, pg_index i
    WHERE a.attrelid = 'firm'::regclass AND a.attname = 'uscc' AND i.indexrelid = 'push_line_seen'::regclass
""")


def test_whether_a_bank_may_see_a_firm_is_looked_up_in_the_collation_of_firms(database) -> None:
    with database.transaction(PLATFORM) as tx:
        found = tx.execute(COLLATIONS).one()
    assert found.of_index == found.of_firms
