"""The JSON of this API, and the name under which its jobs are kept."""

from typing import Any

DIALECT = "replicate"
"""The value of ``Job.dialect``, which the database keeps."""

Json = dict[str, Any]
