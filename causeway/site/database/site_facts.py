"""What the site decides once, for all its servers and for as long as its database lives."""

import uuid

from causeway.site.database.engine import Database
from causeway.site.database.models import SiteFact

_HIERARCHY = "hierarchy-id"


def hierarchy_id(database: Database) -> str:
    """The GUID in the issuer's name of every site token; made when it is first asked for."""
    with database.read() as session:
        known = session.get(SiteFact, _HIERARCHY)
    if known is not None:
        return known.value
    with database.write(alone="site-facts") as session:
        known = session.get(SiteFact, _HIERARCHY)
        if known is None:
            known = SiteFact(name=_HIERARCHY, value=str(uuid.uuid4()))
            session.add(known)
        return known.value
