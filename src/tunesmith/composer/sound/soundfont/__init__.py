"""The sample player: SoundFont files, and the voices that play them."""
