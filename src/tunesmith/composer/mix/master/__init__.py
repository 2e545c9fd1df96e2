"""The master: rate and channels, compression, loudness and true peak, decided at control rate and applied once."""

from tunesmith.composer.mix.master.chain import master as master
from tunesmith.composer.mix.master.stem_shares import stem_shares as stem_shares
