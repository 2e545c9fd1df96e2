"""Changes by request: words and fields that change one thing about a piece, as a new request."""

from tunesmith.composer.changes.edited_request import EditedRequest, edit_request
from tunesmith.composer.changes.values import RequestChange

__all__ = ["EditedRequest", "RequestChange", "edit_request"]
