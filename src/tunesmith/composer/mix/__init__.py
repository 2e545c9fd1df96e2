"""Stems to the finished mix: strips, reverbs, production and master, in blocks, with bounded memory."""

from tunesmith.audio.spool import Spool
from tunesmith.composer.mix.master import master as master
from tunesmith.composer.mix.master import stem_shares as stem_shares
from tunesmith.composer.mix.options import MixOptions as MixOptions
from tunesmith.composer.mix.premaster import Session as Session
from tunesmith.composer.mix.premaster import premaster as premaster
from tunesmith.composer.mix.premaster import stem_spools as stem_spools
from tunesmith.composer.score import Score

RENDERING = 0.8
"""Rendering's share of the duration of a mix, for the progress."""


def mix_score(score: Score, session: Session) -> Spool:
    """Return the finished piece as samples at the rate and in the channels of ``session.options``.

    The caller closes the spool. Raises GenerationCancelled.
    """
    with premaster(score, session, share=RENDERING) as mix:
        return master(score, mix, session, done=RENDERING)
