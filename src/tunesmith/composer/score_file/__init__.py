"""The score as a document: readable YAML that a person or a language model can edit, and back.

tunesmith: 1
title: Rain on the window
key: A minor
meter: 4/4
tempo: 90                      # or {1: 90, 9: 92.5}: bar → quarter notes per minute
sections:
- {name: A, bars: 8, energy: 0.5}
chords:                        # bar → chords as "beat name length", beats count from 1
  1: 1 Am7 4
parts:
- name: melody
  role: melody
  instrument: flute
  notes:                       # bar → notes as "beat pitch length velocity [glide]"
    1: 1 A4 1.5 92, 2.5 C5 0.5 80
"""

from tunesmith.composer.score_file.dump import dump_score as dump_score
from tunesmith.composer.score_file.edit import PartChange as PartChange
from tunesmith.composer.score_file.edit import ScoreChanges as ScoreChanges
from tunesmith.composer.score_file.edit import edited_document as edited_document
from tunesmith.composer.score_file.edit import quoted as quoted
from tunesmith.composer.score_file.load import LoadedScore as LoadedScore
from tunesmith.composer.score_file.load import load_document as load_document
from tunesmith.composer.score_file.load import load_score as load_score
