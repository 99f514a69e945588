"""`python -m abri_pipeline.cli` is `abri`."""

import sys

from abri_pipeline.cli import main

sys.exit(main())
