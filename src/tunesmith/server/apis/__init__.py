"""One dialect a file or folder: what a client of that API sends, and what it must get."""
