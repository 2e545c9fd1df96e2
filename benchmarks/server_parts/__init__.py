"""Parts of the server benchmark."""
