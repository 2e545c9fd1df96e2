"""Run with huggingface_hub 0.25.2, whose clients people still have: what it gets from the servers at argv's URLs.

Prints one line of JSON: of each case the status and text of the error, or the sound in base64.
"""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Callable
from typing import Any

import huggingface_hub
from huggingface_hub import InferenceClient, model_info
from huggingface_hub.errors import HfHubHTTPError

NAME = "facebook/musicgen-small"
MODEL = f"models/{NAME}"
ASKED = {"inputs": "calm piano", "parameters": {"duration": 2, "seed": 7}}


def told(call: Callable[[], Any]) -> dict[str, Any]:
    """Return what a call gave."""
    try:
        return {"sound": base64.b64encode(call()).decode()}
    except HfHubHTTPError as error:
        return {"status": error.response.status_code, "text": error.response.text}


def main(server: str, server_with_tokens: str, musicgen_server: str, spent: str) -> None:
    """Print what the client gets."""
    client: Any = InferenceClient(model=f"{server}/{MODEL}", token="hf_any")
    cold: Any = InferenceClient(
        model=f"{musicgen_server}/{MODEL}", headers={"x-wait-for-model": "false"}, token="hf_any"
    )
    limited: Any = InferenceClient(model=f"{server_with_tokens}/{MODEL}", token=spent)
    unset: Any = InferenceClient()  # all it knows is in HF_ENDPOINT, HF_INFERENCE_ENDPOINT and HF_TOKEN
    wrong: Any = InferenceClient(model=f"{server_with_tokens}/{MODEL}", token="ts_wrong")
    got = {
        "version": huggingface_hub.__version__,
        "speech": told(lambda: client.text_to_speech("calm piano")),
        "post": told(lambda: client.post(json=ASKED)),
        "raw": told(lambda: client.post(data=json.dumps(ASKED).encode())),
        "by environment": told(lambda: unset.text_to_speech("calm piano", model=NAME)),
        "recommended": told(lambda: unset.post(json=ASKED, task="text-to-audio")),
        "task": model_info(NAME).pipeline_tag,
        "cold": told(lambda: cold.post(json=ASKED)),
        "bad input": told(lambda: client.post(json={"inputs": "!!"})),
        "unknown": told(lambda: client.post(json=ASKED, model=f"{server}/models/nobody/nothing")),
        "bad token": told(lambda: wrong.post(json=ASKED)),
        "within quota": told(lambda: limited.post(json=ASKED)),
        "over quota": told(lambda: limited.post(json=ASKED)),
        "failure": told(lambda: client.post(json=ASKED, model=f"{server}/models/raising")),
    }
    sys.stdout.write(json.dumps(got))


if __name__ == "__main__":
    main(*sys.argv[1:])
