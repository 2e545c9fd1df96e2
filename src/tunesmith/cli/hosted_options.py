"""Options of hosted models: settings for this run alone, its runner processes included."""

from __future__ import annotations

import os

from tunesmith.errors import InvalidRequest

TOKEN_VARIABLES = {"hf": "TUNESMITH_HF_TOKEN", "replicate": "TUNESMITH_REPLICATE_TOKEN"}
MAX_CALLS_VARIABLE = "TUNESMITH_MAX_CALLS"


def apply_hosted_options(model: str | None, max_calls: str | None = None, token: str | None = None) -> None:
    """Override settings with options; raises InvalidRequest for a malformed budget, or a token without a hosted model.

    The values go into environment variables, which the processes of a batch or a server inherit.
    """
    if max_calls is not None:
        from tunesmith.library.tokens import RateLimit

        os.environ[MAX_CALLS_VARIABLE] = str(RateLimit.parse("max_calls", max_calls))
    if token is not None:
        from tunesmith.hosted.model_names import is_hosted, read_name

        if model is None or not is_hosted(model):
            raise InvalidRequest("hosted_token", "needs a hosted model: --model hf:owner/name or replicate:owner/name")
        os.environ[TOKEN_VARIABLES[read_name(model).service]] = token
