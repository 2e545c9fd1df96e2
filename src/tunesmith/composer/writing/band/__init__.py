"""Who plays: the players of a piece, and what a named instrument gets to do."""
