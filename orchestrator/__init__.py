"""If someone broke our API, who would notice?"""

import importlib.metadata

__version__ = importlib.metadata.version("quality-orchestrator")
