"""The families of models that are run on this machine; the rest of ``models`` knows them by one protocol."""
