"""What all models that work from a composition share: its request, its stems beside the model's sound, its loops."""
