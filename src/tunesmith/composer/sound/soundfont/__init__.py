"""The sample player: SoundFont files, and voices that play them."""
