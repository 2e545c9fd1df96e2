"""Runners: processes that generate music, so that memory is returned to the system and a crash stays isolated.

``pool`` is the interface, ``local_pool`` runs the processes of this machine, ``worker_process`` is the parent's side of
one and ``worker_main`` the child's; they exchange lines of JSON (``protocol``).
"""
