"""What ``tunesmith generate`` does with its options: checks them all, makes the music, and reports the files."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from typing import Any

from tunesmith.cli.aliases import FIELD_OF_OPTION
from tunesmith.cli.console import print_warning, progress_bar
from tunesmith.cli.hosted_options import apply_hosted_options
from tunesmith.cli.outputs import report
from tunesmith.cli.pick_option import check_picking, keep_best, show_ranking
from tunesmith.cli.pipeline import OutputFiles, build_requests, check_continued, check_licence, generate_all
from tunesmith.cli.track_log import log_tracks
from tunesmith.request import GenerationRequest
from tunesmith.server.startup_checks import misspelt_variables


def request_options(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options that are fields of a request, under the fields' names."""
    named = {FIELD_OF_OPTION.get(option, option): value for option, value in options.items()}
    return {field: value for field, value in named.items() if field in GenerationRequest.model_fields}


def generate_files(options: Mapping[str, Any]) -> None:
    """Make what the options of the command ask for; raises InvalidRequest before any work is done."""
    started = time.monotonic()
    for line in misspelt_variables(os.environ):
        print_warning(line)
    apply_hosted_options(options["model"], options["max_calls"], options["hosted_token"])
    check_continued(options["audio"], options["continued"])
    check_licence(options["model"], options["commercial_safe"], options["audio"], options["melody"])
    requests, suffix = build_requests(request_options(options), options["variations"])
    files = (options[name] for name in ("stems", "midi", "score", "layers"))
    extras = OutputFiles.checked(options["output"], suffix, *files)
    check_picking(options["pick"], options["keep"], options["variations"], extras)
    as_json, quiet = options["as_json"], options["quiet"]
    with progress_bar(quiet or as_json) as progress:
        made = generate_all(requests, extras, progress, started)
    done = keep_best(made, extras, options["keep"]) if options["pick"] else log_tracks(made)
    report(done, as_json, quiet, to_stderr=extras.to_standard_output)
    if options["pick"] and not (as_json or quiet):
        show_ranking(done)
