"""Tags: the metadata of a sound file, read from and written to every format.

A tag has a name, that of the Vorbis comment in lower case (``artist``, ``tracknumber``), and one or more values.
Tunesmith's own metadata is JSON in a field of its own, never in a tag that is meant for people.
"""

from __future__ import annotations

from tunesmith.audio.tags.model import Tags as Tags
from tunesmith.audio.tags.model import tags_from as tags_from
from tunesmith.audio.tags.own import metadata_of as metadata_of
from tunesmith.audio.tags.own import tags_of as tags_of
from tunesmith.audio.tags.reading import read_file_metadata as read_file_metadata
from tunesmith.audio.tags.reading import unread_names as unread_names
from tunesmith.audio.tags.writing import write_tags as write_tags
