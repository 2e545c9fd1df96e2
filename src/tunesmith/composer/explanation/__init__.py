"""Explanations: every musical decision about a request as an answer, with its words, reason and alternatives."""
