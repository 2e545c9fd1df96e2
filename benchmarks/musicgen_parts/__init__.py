"""The parts of the MusicGen benchmark: a checkpoint of real size, and the engines that are timed in turn."""
