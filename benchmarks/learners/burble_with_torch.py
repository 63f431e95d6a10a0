"""Learn as `burble_default` does, but with torch: `--learner torch`."""

from __future__ import annotations

import functools

from benchmarks.learners import burble_default

learn_text = functools.partial(burble_default.learn_text, learner="torch")
