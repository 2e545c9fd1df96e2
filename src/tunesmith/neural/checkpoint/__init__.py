"""Files of published weights: safetensors, pickles of torch, configurations; never code from a file."""
