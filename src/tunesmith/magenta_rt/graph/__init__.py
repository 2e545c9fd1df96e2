"""The graphs and tables of Magenta RealTime 2, from its weights."""
