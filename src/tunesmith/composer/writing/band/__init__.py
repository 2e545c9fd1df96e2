"""The band: the players of a piece, and the parts that requested instruments take."""
