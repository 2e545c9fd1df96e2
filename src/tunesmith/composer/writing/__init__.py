"""Brief → score: the form first, then harmony, then one writer a role.

brief ─ form.py ─► sections, tempo map ─ harmony.py ─► chords ─ band.py ─► players
      ─ drums.py ─► bass.py ─► chords.py · pad.py · arpeggio.py ─► melody.py ─► counter.py ─► effects.py
      ─ performance.py ─► notes as played ─► Score
"""
