"""What every test needs: libraries that do not take the cores from the tests beside them."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile

for pool in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(pool, "1")

DATA = tempfile.mkdtemp(prefix="tunesmith-tests-")  # nothing a test makes may reach the models and the log of a person
os.environ["TUNESMITH_DATA_DIR"] = DATA
atexit.register(shutil.rmtree, DATA, ignore_errors=True)
