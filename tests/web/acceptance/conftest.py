"""The town the acceptance tests walk, once for each of their files, in a database of its own."""

import uuid
from collections.abc import Iterator

import pytest

from service.store.database import Database, use
from service.store.server import drop_database, make_database
from tests.web.acceptance.town import Town, a_town


@pytest.fixture(scope="module")
def town(server, template, settings, tmp_path_factory) -> Iterator[Town]:
    """Left as its tests left it: a test that changes something names what it needs anew."""
    name = f"xd_town_{uuid.uuid4().hex[:8]}"
    opened = use(Database(make_database(server, name, template=template.database)))
    yield a_town(opened, settings, tmp_path_factory.mktemp("town"))
    opened.dispose()
    drop_database(server, name)
