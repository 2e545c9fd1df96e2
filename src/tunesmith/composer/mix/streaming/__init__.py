"""A mix that sounds while it is made: a causal master with forecast settings, until the exact one is known.

::

    score ─ parts ─ pre-master ─────────────────────────── master ─ the exact file
                        │ read as it grows                    │
                        └ production ─ gain by forecast ──────┴─ crossfade ─ the stream
"""

from tunesmith.composer.mix.streaming.mix_stream import MixStream as MixStream
