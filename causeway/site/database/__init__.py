"""The site's database: the only place that knows SQL. Everything outside sees plain values.

Each public function here is one transaction: when it returns, what it wrote is on the disk.
"""

from causeway.site.database.engine import Database, database_name

__all__ = ["Database", "database_name"]
