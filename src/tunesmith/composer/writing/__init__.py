"""Brief → score: the form first, then harmony, then one writer a role.

brief ─ tempo.py · form.py ─► sections, tempo map ─ harmony.py ─► chords ─ band.py ─► players
      ─ drums.py ─► bass.py ─► chords.py · pad.py · arpeggio.py · drone.py ─► melody.py ─► counter.py ─► effects.py
      ─ performance.py ─► notes as played ─► Score
"""

from tunesmith.composer.writing.score_writer import Writing, write_score

__all__ = ["Writing", "write_score"]
