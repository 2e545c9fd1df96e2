"""The APIs that the server speaks, one file each."""
