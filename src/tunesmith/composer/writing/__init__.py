"""Brief → score: time and form first, then harmony and band, then one writer per role, then the performance.

brief ─ form/ ─► sections, tempo map ─ harmony/ ─► chords ─ band/ ─► players
      ─ drums/ ─► accompaniment/ (bass, chords, pad, arpeggio, drone) ─► melody/ (lead, counter) ─► transitions.py
      ─ performance/ ─► notes as played ─► Score
"""

from tunesmith.composer.writing.score_writer import Writing, write_score

__all__ = ["Writing", "write_score"]
