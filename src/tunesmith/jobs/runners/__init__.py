"""Runners: processes that make the music, so that memory really comes back and a crash takes nothing else with it.

``pool`` says what is asked of them, ``local`` keeps them on this machine, ``process`` is one seen from outside and
``child`` one from inside; parent and child speak lines of JSON (``messages``).
"""
