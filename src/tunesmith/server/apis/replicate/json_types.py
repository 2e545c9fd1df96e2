"""The JSON type and the name of Replicate's API."""

from typing import Any

DIALECT = "replicate"
"""The value of ``Job.dialect``, which is stored in the database."""

Json = dict[str, Any]
