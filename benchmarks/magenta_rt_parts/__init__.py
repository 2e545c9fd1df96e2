"""The parts of the benchmark of Magenta RealTime 2."""
