"""One module or package for each API: the requests that its clients send, and the responses that they expect."""
