"""What ``tunesmith generate`` does with its options: checks them all, makes the music, and reports the files."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from typing import Any

from tunesmith.cli.aliases import FIELD_OF_OPTION
from tunesmith.cli.console import progress_bar, say_warning
from tunesmith.cli.hosted_options import set_for_this_run
from tunesmith.cli.outputs import report
from tunesmith.cli.pick_option import check_picking, picked, show_ranking
from tunesmith.cli.pipeline import Extras, check_continued, check_licence, make_all, requests_for
from tunesmith.cli.track_log import remembered
from tunesmith.request import GenerationRequest
from tunesmith.server.startup_checks import misspelt_variables


def wishes_of(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options that are fields of a request, under the fields' names."""
    named = {FIELD_OF_OPTION.get(option, option): value for option, value in options.items()}
    return {field: value for field, value in named.items() if field in GenerationRequest.model_fields}


def make_files(options: Mapping[str, Any]) -> None:
    """Make what the options of the command ask for; raises InvalidRequest before any work is done."""
    started = time.monotonic()
    for line in misspelt_variables(os.environ):
        say_warning(line)
    set_for_this_run(options["model"], options["max_calls"], options["hosted_token"])
    check_continued(options["audio"], options["continued"])
    check_licence(options["model"], options["commercial_safe"], options["audio"], options["melody"])
    requests, suffix = requests_for(wishes_of(options), options["variations"])
    files = (options[name] for name in ("stems", "midi", "score", "layers"))
    extras = Extras.checked(options["output"], suffix, *files)
    check_picking(options["pick"], options["keep"], options["variations"], extras)
    as_json, quiet = options["as_json"], options["quiet"]
    with progress_bar(quiet or as_json) as progress:
        made = make_all(requests, extras, progress, started)
    done = picked(made, extras, options["keep"]) if options["pick"] else remembered(made)
    report(done, as_json, quiet, to_stderr=extras.to_standard_output)
    if options["pick"] and not (as_json or quiet):
        show_ranking(done)
