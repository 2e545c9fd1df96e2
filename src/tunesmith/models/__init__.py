"""The model store: pull, list, show and remove models; their digests, licences and disk use."""
